"""Creators week by week: inputs recounted in plain loops, validity and outcomes as statistics, and ids."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from creator_inputs import weekly_inputs
from plumbline.scoring.followup import FollowUp, Pair, pair_of
from plumbline.scoring.recommendations import recommendation_id, week_of
from plumbline.scoring.reference import Catalogue, Reference
from plumbline.scoring.scores import score
from plumbline.scoring.tables import (
    Week,
    component_rows,
    kpi_rows,
    overall_and_tier_rows,
    recommendation_rows,
    rejected_rows,
    weeks_of,
)
from plumbline.statistics.outcomes_of_actions import action_effect, updated_gain
from plumbline.statistics.rank_validity import rank_validity
from worlds import World

WINDOW = 28
DAY = date(2026, 3, 1)


# ---------------------------------------------------------------- recounted on the sample
def _days(sample: World) -> dict[str, dict[date, dict[str, Any]]]:
    names = (
        "creator_id, activity_date, views, likes, comments, shares, orders, product_views, followers, "
        "impressions, revenue_usd, spend_usd, carts, checkouts_started, checkouts_completed"
    )
    held: dict[str, dict[date, dict[str, Any]]] = defaultdict(dict)
    for row in sample.warehouse.query(f"select {names} from staging.stg_creators__creator_days"):
        named = dict(zip(names.replace(" ", "").split(","), row, strict=True))
        held[named["creator_id"]][named["activity_date"]] = named
    return held


def _share(above: Any, below: Any) -> float | None:
    return float(above) / float(below) if below else None


def test_inputs_and_growth_recounted_in_plain_loops(sample: World) -> None:
    """Every creator and week of the sample, formula by formula, day by day."""
    days = _days(sample)
    told = sample.warehouse.query(
        "select creator_id, week_end_date, observed_day_count, conversion_rate, average_order_value, "
        "cart_abandonment_rate, funnel_completion_rate, comments_per_view, cost_per_order, cost_per_view, "
        "return_on_spend, engagement_growth_rate, views_growth_rate, follower_growth_rate, "
        "view_through_rate from creators.fct_creator_weeks"
    )
    assert len(told) > 200
    grown = 0
    for creator, week, *found in told:
        own = days.get(creator, {})
        window = [week - timedelta(days=ago) for ago in range(WINDOW)]
        prior = [day - timedelta(days=WINDOW) for day in window]
        now = [own[day] for day in reversed(window) if day in own]
        if not now:
            assert found == [None] * len(found)
            continue
        total: dict[str, Any] = defaultdict(int)
        for row in now:
            for name, value in row.items():
                if name not in ("creator_id", "activity_date"):
                    total[name] += value
        before = [own[day] for day in prior if day in own]
        reactions = total["likes"] + total["comments"] + total["shares"]
        earlier = sum(row["likes"] + row["comments"] + row["shares"] for row in before)
        seen = sum(row["views"] for row in before)
        since = min(own)
        growth = since <= min(prior)
        spend = total["spend_usd"]
        followed = now[0]["followers"]
        wanted = [
            len(now),
            _share(total["orders"], total["product_views"]),
            _share(total["revenue_usd"], total["orders"]),
            _share(total["carts"] - total["checkouts_started"], total["carts"]),
            _share(total["checkouts_completed"], total["carts"]),
            _share(total["comments"], total["views"]),
            _share(spend, total["orders"]) if spend else None,
            _share(spend, total["views"]) if spend else None,
            _share(total["revenue_usd"] - spend, spend),
            _share(reactions - earlier, earlier) if growth else None,
            _share(total["views"] - seen, seen) if growth else None,
            _share(now[-1]["followers"] - followed, followed) if since <= min(window) else None,
            _share(total["views"], total["impressions"]),
        ]
        assert found == wanted, (creator, week)
        grown += growth
    assert grown > 100


def test_week_ends_are_sundays_and_the_last_complete_day(sample: World) -> None:
    ends = [
        row[0]
        for row in sample.warehouse.query(
            "select distinct week_end_date from creators.fct_creator_scores order by 1"
        )
    ]
    as_of = sample.warehouse.query("select as_of_date from intermediate.int_as_of")[0][0]
    assert ends[-1] == as_of
    assert all(day.isoweekday() == 7 for day in ends[:-1])
    assert all((b - a).days == 7 for a, b in pairwise(ends[:-1]))
    assert (as_of - ends[-2]).days <= 7


def test_a_creator_alone_scores_as_among_all(sample: World) -> None:
    """The same bits for one creator in the package and for the same one in the marts, in several weeks."""
    rows = sample.warehouse.query(
        "select creator_id, week_end_date, overall_score, equal_weight_score, coverage_rate "
        "from creators.fct_creator_scores order by 1, 2"
    )
    tried = 0
    for creator, week, overall, equal, coverage in rows[::41]:
        catalogue = Reference.shipped().on(week)
        alone = score(catalogue, weekly_inputs(sample.warehouse, catalogue, creator, week))
        own = [alone.overall[0], alone.equal[0], alone.coverage[0]]
        assert [overall, equal, coverage] == [None if np.isnan(x) else x for x in own]
        tried += overall is not None
    assert tried > 4


# ---------------------------------------------------------------- rows of Python models
def _inputs(
    catalogue: Catalogue, values: dict[str, np.ndarray[Any, Any]], days: list[date]
) -> pa.Table:
    count = len(next(iter(values.values())))
    ids = [f"c{n:03d}" for n in range(count)]
    return pa.table(
        {
            "creator_id": ids * len(days),
            "week_end_date": pa.array(np.repeat(days, count).tolist(), pa.date32()),
            "size_band": ["micro"] * count * len(days),
            **{name: np.tile(column, len(days)) for name, column in values.items()},
        }
    )


def _judged(catalogue: Catalogue, count: int, seed: int, day: date = date(2026, 1, 1)) -> pa.Table:
    draws = np.random.default_rng(seed)
    names = [
        item.field
        for item in catalogue.inputs
        if item.origin == "assessments" and item.role == "measure"
    ]
    rows = [(f"c{n:03d}", name) for n in range(count) for name in names]
    return pa.table(
        {
            "creator_id": [row[0] for row in rows],
            "attribute": [row[1] for row in rows],
            "valid_from_date": pa.array([day] * len(rows), pa.date32()),
            "valid_to_date": pa.array([date(9999, 12, 31)] * len(rows), pa.date32()),
            "score": draws.random(len(rows)),
        }
    )


def _cells() -> pa.Table:
    tables = Reference.shipped().tables
    rows = [
        (name, str(number), column, str(value).lower() if isinstance(value, bool) else str(value))
        for name, held in tables.items()
        for number, row in enumerate(held)
        for column, value in row.items()
    ]
    names = ("table_name", "row_key", "column_name", "cell")
    return pa.table({name: [row[k] for row in rows] for k, name in enumerate(names)})


def _random(count: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    draws = np.random.default_rng(seed)
    shares = (
        "conversion_rate", "funnel_completion_rate", "cart_abandonment_rate", "impression_rate",
        "checkout_success_rate", "recommendation_rate",
    )  # fmt: skip
    return {
        **{name: draws.random(count) * 0.2 for name in shares},
        "total_revenue": draws.random(count) * 9000 + 1,
        "avg_order_value": draws.random(count) * 60 + 1,
        "comments_per_view": draws.random(count) * 0.1,
        **{
            name: np.full(count, 400.0)
            for name in (
                "product_view_count", "cart_count", "checkout_count", "order_count", "view_count",
                "impression_count", "interaction_count", "observed_day_count",
            )
        },
    }  # fmt: skip


def _weeks(seed: int = 1, count: int = 60, **changes: Any) -> list[Week]:
    catalogue = Reference.shipped().on(DAY)
    values = {**_random(count, seed), **changes}
    return list(
        weeks_of(_inputs(catalogue, values, [DAY]), _judged(catalogue, count, seed), _cells())
    )


def test_percentiles_do_not_know_units() -> None:
    """Revenue, order value and their targets in cents leave all places as they were."""
    plain = _random(60, 4)
    targets = {"target_revenue": np.full(60, 10_000.0), "target_aov": np.full(60, 50.0)}
    told = kpi_rows(_weeks(4, **targets)[0])
    scaled = {
        "total_revenue": plain["total_revenue"] * 100, "target_revenue": np.full(60, 1_000_000.0),
        "avg_order_value": plain["avg_order_value"] * 100, "target_aov": np.full(60, 5_000.0),
    }  # fmt: skip
    again = kpi_rows(_weeks(4, **scaled)[0])
    assert np.nanmax(told["peer_percentile"]) > 0.9
    np.testing.assert_array_equal(told["peer_percentile"], again["peer_percentile"])


def test_rows_do_not_depend_on_the_order_of_creators() -> None:
    """A creator alone scores as among all, and the same input gives the same advice with the same ids."""
    week = _weeks(6)[0]
    whole = overall_and_tier_rows(week)["score"][:60]
    catalogue = Reference.shipped().on(DAY)
    for place in (0, 31, 59):
        assert score(catalogue, week.values[place]).overall[0] == whole[place]
    first, second = (
        recommendation_rows(_weeks(6)[0])["recommendation_id"].to_pylist() for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == len(first) > 60


def test_every_issue_names_its_action_and_full_marks_are_none() -> None:
    rows = component_rows(_weeks(8)[0])
    found = rows["is_issue"]
    actions = rows["action"].to_pylist()
    assert found.sum() > 100
    assert all(
        (action is not None) == bool(own) for action, own in zip(actions, found, strict=True)
    )
    assert (rows["score"][found] < 1).all()
    known = Reference.shipped().on(DAY).actions
    assert {action for action in actions if action} <= known.keys()


def test_impossible_inputs_are_listed_and_left_out() -> None:
    conversion = _random(60, 9)["conversion_rate"]
    conversion[3] = 1.5
    week = _weeks(9, conversion_rate=conversion)[0]
    listed = rejected_rows(week)
    assert listed["field"].to_pylist() == ["conversion_rate"]
    assert listed["creator_id"].to_pylist() == ["c003"]
    assert listed["input_value"].tolist() == [1.5]
    parts = component_rows(week)
    who, what = parts["creator_id"].to_pylist(), parts["component"].to_pylist()
    place = list(zip(who, what, strict=True)).index(("c003", "conversion_rate"))
    assert np.isnan(parts["score"][place])


def test_without_creators_there_are_no_rows() -> None:
    weeks = weeks_of(
        _inputs(Reference.shipped().on(DAY), _random(0, 1), [DAY]).slice(0, 0),
        _judged(Reference.shipped().on(DAY), 0, 1),
        _cells(),
    )
    assert list(map(kpi_rows, weeks)) == []


# ---------------------------------------------------------------- rank validity
def test_rank_correlation_is_that_of_scipy_with_ties_and_gaps() -> None:
    draws = np.random.default_rng(2)
    outcome = np.round(np.exp(draws.normal(size=300)), 1)
    scores = np.vstack(
        [
            draws.normal(size=300),
            draws.integers(0, 4, 300).astype(float),
            outcome + draws.normal(size=300),
        ]
    )
    scores[2, ::3] = np.nan
    found = rank_validity(scores, outcome, 0.1, 0, 20, 0.9, 1)
    for place in range(3):
        seen = ~np.isnan(scores[place])
        wanted = stats.spearmanr(scores[place, seen], outcome[seen]).statistic
        assert found.value.spearman[place] == pytest.approx(wanted, abs=1e-12)
    assert found.units.tolist() == [300, 300, 200]


def test_gain_of_a_list_and_its_top_by_counting() -> None:
    """Against a loop over positions; a tie counts as the mean over its orders."""
    outcome = np.array([5.0, 0, 3, 9, 1, 4, 0, 2, 8, 7, 6, 2.5])
    score_ = np.array([1.0, 2, 3, 9, 5, 4, 0, 0.5, 8, 7, 6, 2.5])
    order = np.argsort(-score_)
    gain = sum(outcome[n] / np.log2(k + 2) for k, n in enumerate(order))
    best = sum(value / np.log2(k + 2) for k, value in enumerate(sorted(outcome, reverse=True)))
    found = rank_validity(score_[None, :], outcome, 0.25, 0, 1, 0.9, 1).value
    assert found.ndcg[0] == pytest.approx(gain / best, abs=1e-12)
    assert found.precision[0] == len(set(order[:3]) & set(np.argsort(-outcome)[:3])) / 3
    flat = rank_validity(np.zeros((1, 12)), outcome, 0.25, 0, 1, 0.9, 1).value
    positions = sum(1 / np.log2(k + 2) for k in range(12))
    assert flat.ndcg[0] == pytest.approx(outcome.mean() * positions / best, abs=1e-12)
    assert flat.precision[0] == pytest.approx(0.25)
    assert np.isnan(flat.spearman[0])


def test_validity_knows_neither_names_nor_order_of_rows() -> None:
    draws = np.random.default_rng(3)
    outcome = np.exp(draws.normal(size=120))
    scores = np.vstack([outcome * np.exp(draws.normal(size=120)), draws.normal(size=120)])
    shuffled = draws.permutation(120)
    first = rank_validity(scores, outcome, 0.1, 1, 40, 0.95, 9)
    again = rank_validity(scores[:, shuffled], outcome[shuffled], 0.1, 1, 40, 0.95, 9)
    assert first.low.spearman.tolist() == again.low.spearman.tolist()
    assert first.gain_high[0] == again.gain_high[0]
    assert np.isnan(first.gain[1])


def test_bootstrap_intervals_of_rank_correlation_hold_the_truth() -> None:
    """100 samples of two correlated normals, of whose 95 % intervals about 93 hold the truth."""
    draws, rho = np.random.default_rng(11), 0.5
    truth = 6 / np.pi * np.arcsin(rho / 2)
    held = 0
    for seed in range(100):
        x = draws.normal(size=150)
        y = rho * x + np.sqrt(1 - rho**2) * draws.normal(size=150)
        found = rank_validity(x[None, :], np.exp(y), 0.1, 0, 60, 0.95, seed)
        held += found.low.spearman[0] <= truth <= found.high.spearman[0]
    # Ends of 60 resamples are a little too narrow; four deviations below 93.
    assert held >= 93 - 4 * 2.6


def test_too_few_units_and_bad_outcomes_are_refused() -> None:
    few = rank_validity(np.ones((1, 5)), np.arange(5.0), 0.1, 0, 5, 0.9, 1)
    assert np.isnan([few.value.spearman[0], few.low.ndcg[0], few.value.precision[0]]).all()
    with pytest.raises(ValueError, match="not negative"):
        rank_validity(np.ones((1, 20)), -np.ones(20), 0.1, 0, 5, 0.9, 1)
    with pytest.raises(ValueError, match="share"):
        rank_validity(np.ones((1, 20)), np.ones(20), 0.0, 0, 5, 0.9, 1)


# ---------------------------------------------------------------- outcomes of actions
def _panel(seed: int, effect: float, chosen_low: bool) -> tuple[Any, ...]:
    """Units whose level is measured with noise on both sides of one date, some of which act."""
    draws = np.random.default_rng(seed)
    level = draws.normal(0, 0.3, 120)
    before = level + draws.normal(0, 0.3, 120)
    acted = before < np.quantile(before, 0.25) if chosen_low else draws.random(120) < 0.25
    after = level + draws.normal(0, 0.3, 120) + 0.1 + effect * acted
    return after - before, before, np.zeros(120, np.int64), np.arange(120), acted


def test_the_effect_of_an_action_is_recovered_by_intervals_that_hold() -> None:
    held = [
        (found := action_effect(*_panel(seed, 0.2, False), 0.95)).low <= 0.2 <= found.high
        for seed in range(300)
    ]
    # 285 expected, one deviation 3.8; four of them.
    assert sum(held) >= 285 - 16
    nothing = [
        (found := action_effect(*_panel(seed, 0.0, False), 0.95)).low > 0 or found.high < 0
        for seed in range(300)
    ]
    assert sum(nothing) <= 15 + 16


def test_who_does_badly_by_chance_recovers_by_chance() -> None:
    """Advice goes to the lowest quarter: the plain difference sees an effect that is none."""
    plain, adjusted = [], []
    for seed in range(100):
        change, before, period, unit, acted = _panel(seed, 0.0, True)
        plain.append(change[acted].mean() - change[~acted].mean())
        adjusted.append(action_effect(change, before, period, unit, acted, 0.95).effect)
    assert np.mean(plain) > 0.2
    assert abs(np.mean(adjusted)) < 4 * np.std(adjusted) / 10


def test_effects_of_several_dates_are_stacked_and_lonely_ones_say_nothing() -> None:
    change, before, _, unit, acted = _panel(1, 0.3, False)
    twice = [np.r_[part, part] for part in (change, before, unit, acted)]
    period = np.repeat([0, 1], 120)
    once = action_effect(change, before, np.zeros(120, np.int64), unit, acted, 0.95)
    both = action_effect(twice[0], twice[1], period, twice[2], twice[3], 0.95)
    # The same units again are no more units.
    assert both.effect == pytest.approx(once.effect)
    assert both.standard_error == pytest.approx(once.standard_error)
    assert (both.actions, both.controls) == (acted.sum(), (~acted).sum())
    alone = acted & (np.cumsum(acted) == 1)
    single = action_effect(
        change, before, np.zeros(120, np.int64), unit, alone | ~acted & False, 0.95
    )
    assert np.isnan(single.standard_error)
    nobody = action_effect(change, before, np.zeros(120, np.int64), unit, np.ones(120, bool), 0.95)
    assert np.isnan(nobody.effect)
    with pytest.raises(ValueError, match="finite"):
        action_effect(change * np.nan, before, np.zeros(120, np.int64), unit, acted, 0.95)


def test_gains_are_drawn_towards_the_catalogue() -> None:
    assert updated_gain(0.2, 0.5, np.nan, np.nan) == (updated_gain(0.2, 0.5, np.nan, 0.1))
    halfway = updated_gain(0.2, 0.5, 0.4, 0.1)
    assert (halfway.value, halfway.measured_share) == (pytest.approx(0.3), pytest.approx(0.5))
    assert updated_gain(0.2, 0.5, 0.4, 0.01).value > 0.39
    assert updated_gain(0.2, 0.5, 0.4, 1.0).value < 0.21
    with pytest.raises(ValueError, match="above 0"):
        updated_gain(0.0, 0.5, 0.4, 0.1)


# ---------------------------------------------------------------- ids and windows
def test_windows_lie_around_the_action() -> None:
    ends = [DAY + timedelta(days=7 * week) for week in range(10)]
    assert pair_of(DAY + timedelta(days=1), ends, WINDOW) == Pair(DAY, DAY + timedelta(days=28))
    assert pair_of(DAY + timedelta(days=2), ends, WINDOW) == Pair(DAY, DAY + timedelta(days=35))
    assert pair_of(DAY, ends, WINDOW) is None
    assert pair_of(ends[-1], ends, WINDOW) is None


def test_a_carried_out_recommendation_is_known_by_its_id() -> None:
    """By the id we give, by that of another system, weeks later, and not by any other text."""
    weeks = _weeks(12)
    advice = recommendation_rows(weeks[0])
    first = advice["recommendation_id"][0].as_py()
    catalogue = weeks[0].catalogue
    other = hashlib.sha256(f"c005|cpa|{week_of(DAY)}".encode()).hexdigest()[:16]
    viral = recommendation_id(
        "c007", "trend_fit", "viral_potential", catalogue.version, week_of(DAY)
    )
    actions = pa.table(
        {
            "action_id": ["a", "b", "c", "d"],
            "creator_id": [advice["creator_id"][0].as_py(), "c005", "c007", "c009"],
            "recommendation_id": [first, other, viral, first],
            "implemented_on": pa.array([DAY + timedelta(days=20), DAY, DAY, DAY], pa.date32()),
        }
    )
    found = FollowUp(weeks, actions, WINDOW, 0.95)
    about = [(item.kpi, item.component) for item in found.done]
    assert about[0] == (advice["kpi"][0].as_py(), advice["component"][0].as_py())
    assert about[1:3] == [("cost_efficiency", "cpa"), ("trend_fit", "viral_potential")]
    assert about[3] == (None, None)
    rows = found.outcome_rows()
    assert rows["status"].to_pylist() == ["waiting"] * 3 + ["unknown recommendation"]
