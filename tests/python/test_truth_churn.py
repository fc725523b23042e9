"""Churn and its drivers, recovered from a simulated warehouse of about a million events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import hypot, log, sqrt

import numpy as np
import pytest

from worlds import World

pytestmark = pytest.mark.truth

CHAMPION = "logistic"
# Drivers by the words of the truth file.
PLANTED = {
    "active days before (latent class)": ("frequency", "active_days", "one_deviation"),
    "days since last active": ("recency", "recency_days", "one_deviation"),
    "role teacher": ("role", "role", "teacher"),
}


def test_churn_is_foretold_better_than_by_recency(world: World) -> None:
    """Training days saw 18 days of history and the test 46, so chances drift; the order of risk holds."""
    found = {
        row[0]: row[1:]
        for row in world.warehouse.query(
            "select model_name, test_row_count, area_under_curve, base_skill, recency_skill, "
            "top_decile_lift, test_churn_rate from retention.agg_churn_evaluations"
        )
    }
    people, area, skill, beyond, lift, rate = found[CHAMPION]
    assert people > 3000
    assert area > 0.7
    assert skill > 0.3
    assert beyond > 0
    # At most everybody of the tenth churns.
    assert 0.9 / rate < lift <= 1 / rate + 1e-12
    assert found["base_rate"][1] == 0.5
    assert found["base_rate"][2] == 0


def test_planted_drivers_lead(world: World) -> None:
    """How often and how long ago somebody came outweigh everything that was not planted."""
    told = world.truth.planted["churn_drivers"]
    assert {row["driver"] for row in told} == PLANTED.keys()
    weights = dict(
        world.warehouse.query(
            "select name, mean_absolute_contribution from retention.agg_churn_importances "
            f"where model_name = '{CHAMPION}' and importance_level = 'driver'"
        )
    )
    leading = sorted(weights, key=lambda driver: -weights[driver])[:2]
    assert set(leading) == {"frequency", "recency"}
    assert weights["role"] < min(weights[driver] for driver in leading)


@dataclass(frozen=True)
class Measured:
    """Log odds of churn for one deviation of a driver alone (a teacher: against a consumer)."""

    slope: float
    low: float
    high: float


def measured(world: World) -> tuple[int, float, dict[str, Measured]]:
    """People of the test snapshot, their churn, and what the mart says of each planted driver."""
    rows = {
        (feature, level): values
        for feature, level, *values in world.warehouse.query(
            "select feature, level, person_count, outcome_mean, naive_effect, naive_effect_low, "
            "naive_effect_high from retention.agg_retention_drivers where outcome = 'churn'"
        )
    }
    found = {driver: rows[feature, level] for driver, (_, feature, level) in PLANTED.items()}
    people, churn = next(iter(found.values()))[:2]
    return people, churn, {name: Measured(*map(log, row[2:])) for name, row in found.items()}


@pytest.mark.parametrize("name", ["world", "sample"])
def test_planted_drivers_are_recovered_in_order(name: str, world: World, sample: World) -> None:
    """What planted chances imply for the population (exact), within its error at so many people.

    The order is asked wherever four errors lie between two strengths, the sign wherever four lie between
    it and nothing: on a million events of all three, and of all but teachers, whose planted log odds of
    -0.02 are a quarter of their error there (test_simulate_churn has half a million people and their sign).
    """
    world = {"world": world, "sample": sample}[name]
    told = world.truth.planted["churn_drivers"]
    people, churn, found = measured(world)
    ((tested,),) = world.warehouse.query(
        "select distinct snapshot_date from intermediate.int_churn_snapshots_dated "
        "where purpose = 'test'"
    )
    rate = told[0]["churn_rate"]
    assert abs(churn - rate) < 4 * sqrt(rate * (1 - rate) / people)
    strengths, errors = {}, {}
    signs = 0
    for row in told:
        driver, effect = row["driver"], found[row["driver"]]
        assert row["snapshot"] == tested.isoformat()
        unit = 1.0 if driver == "role teacher" else row["deviation"]
        planted, error = (
            row[part] * unit / sqrt(people) ** power
            for part, power in (("log_odds", 0), ("log_odds_error_of_one", 1))
        )
        assert abs(effect.slope - planted) < 4 * error, driver
        if abs(planted) > 4 * error:
            signs += 1
            assert (effect.low if row["sign"] > 0 else -effect.high) > 0, driver
        strengths[driver] = abs(effect.slope) * row["deviation"] / unit
        errors[driver] = error * row["deviation"] / unit
    ordered = 0
    for stronger, weaker in combinations(told, 2):
        one, two = stronger["driver"], weaker["driver"]
        if stronger["strength"] - weaker["strength"] > 4 * hypot(errors[one], errors[two]):
            ordered += 1
            assert strengths[one] > strengths[two], (one, two)
    assert (signs, ordered) == {"world": (2, 3), "sample": (2, 2)}[name]


def test_planted_drivers_keep_their_signs_among_all_features(world: World) -> None:
    """With all others held equal, the two strong ones by the whole interval."""
    held = {
        (feature, level): (low, high)
        for feature, level, low, high in world.warehouse.query(
            "select feature, level, adjusted_effect_low, adjusted_effect_high "
            "from retention.agg_retention_drivers where outcome = 'churn'"
        )
    }
    for row in world.truth.planted["churn_drivers"]:
        driver, feature, level = PLANTED[row["driver"]]
        low, high = held[feature, level]
        if driver != "role":
            assert np.sign(row["together"]) == row["sign"]
            assert low > 1 if row["sign"] > 0 else high < 1


def test_what_was_not_planted_has_no_effect(world: World) -> None:
    """Country, channel and platform were drawn at random: 95 % intervals miss 1 as often as they say."""
    rows = world.warehouse.query(
        "select outcome, feature, level, adjusted_effect_low, adjusted_effect_high "
        "from retention.agg_retention_drivers where effect_kind = 'odds_ratio' "
        "and feature in ('country', 'platform', 'acquisition_channel') and outcome <> 'conversion'"
    )
    missed = [row for row in rows if not row[3] <= 1 <= row[4]]
    expected = 0.05 * len(rows)
    assert len(rows) >= 30
    # Levels of a feature share their reference, so misses come together: four deviations.
    assert len(missed) <= expected + 4 * sqrt(expected * 0.95), missed


def test_early_activity_marks_who_stays_on_people_who_did_not_choose_it(world: World) -> None:
    """More active days in the first week go with the fourth week: heavy users come often and stay."""
    rows = world.warehouse.query(
        "select threshold_count, retention_difference_low, is_associational, "
        "choose_reached_count + choose_other_count, measure_reached_count + measure_other_count "
        "from retention.agg_activation_thresholds "
        "where event_name = 'active_day' and window_days = 7 and is_chosen"
    )
    ((threshold, low, is_associational, chosen, measured),) = rows
    assert 2 <= threshold <= 7
    assert low > 0
    assert is_associational
    # Halves of a fair coin: five deviations.
    total = chosen + measured
    assert abs(chosen - total / 2) < 5 * sqrt(total) / 2


def test_everybody_active_lately_is_scored_with_reasons(world: World) -> None:
    ((people, scored, explained, deciles),) = world.warehouse.query(
        "select count(*), count(churn_probability), "
        "count(case when reason_1 <> 'none' then 1 end), count(distinct risk_decile) "
        "from retention.fct_churn_scores"
    )
    assert people > 5000
    assert scored == people
    assert explained > 0.9 * people
    assert deciles == 10
