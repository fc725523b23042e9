"""Churn and its drivers, recovered from a simulated warehouse of about a million events."""

from __future__ import annotations

from math import sqrt

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


def test_planted_drivers_have_their_signs(world: World) -> None:
    """The two strong ones by the whole interval; of the weak one the interval must not say the opposite."""
    held = {
        (feature, level): (naive_low, low, high)
        for feature, level, naive_low, low, high in world.warehouse.query(
            "select feature, level, naive_effect_low, adjusted_effect_low, adjusted_effect_high "
            "from retention.agg_retention_drivers where outcome = 'churn'"
        )
    }
    for row in world.truth.planted["churn_drivers"]:
        driver, feature, level = PLANTED[row["driver"]]
        naive_low, low, high = held[feature, level]
        if driver == "role":
            assert naive_low < 1
        elif row["sign"] > 0:
            assert low > 1
        else:
            assert high < 1


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
