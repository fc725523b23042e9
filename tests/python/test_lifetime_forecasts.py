"""Lifetime value of a new member: exact sums where everything was seen, recovery and coverage beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import t as student

from bounds import recovers
from plumbline.statistics.lifetime import Missing
from plumbline.statistics.lifetime_cohorts import (
    CohortDays,
    CohortValue,
    cohort_days,
    fit_cohort_value,
    predict_value,
    predict_values,
    retention_curve,
)
from plumbline.statistics.lifetime_tables import value_forecasts, value_hold_outs
from worlds import World

Array = NDArray[Any]
# Chance to be active while here, Beta of the chances to leave, chance to pay on an active day, mean payment.
ACTIVE, LEAVE, PAYS, PAYMENT = 0.4, (0.6, 6.0), 0.08, 12.0
WEEKS, AHEAD = 24, 28
SETTINGS = {"minimum_people": 50, "observed_share": 0.5, "latest_days": 28}


def true_curve(days: int) -> Array:
    """Planted chance to be active at ages 0 to days - 1."""
    age = np.arange(1, days)
    a, b = LEAVE
    return np.concatenate([[1.0], ACTIVE * np.exp(betaln(a, b + age) - betaln(a, b))])


def true_value(days: int) -> float:
    return float(PAYS * PAYMENT * true_curve(days).sum())


def drawn(random: np.random.Generator, people: int) -> dict[str, Array]:
    """Rows of week, age and stretch (0 known, AHEAD to come) of people who join over WEEKS weeks."""
    joined = random.integers(0, 7 * WEEKS, people)
    ages = np.arange(7 * WEEKS + AHEAD)
    stays = random.geometric(random.beta(*LEAVE, people))
    active = (random.random((people, len(ages))) < ACTIVE) & (ages < stays[:, None])
    active[:, 0] = True
    pays = active & (random.random(active.shape) < PAYS)
    # Payments of three sizes: lumps, not a bell.
    paid = pays * random.choice([4.0, 8.0, 24.0], active.shape)
    when = joined[:, None] + ages
    week = np.broadcast_to(joined[:, None] // 7, when.shape)
    stretch = np.where(when < 7 * WEEKS, 0, AHEAD)
    kept = when < 7 * WEEKS + AHEAD
    place = np.ravel_multi_index(
        (stretch[kept] // AHEAD, week[kept], np.broadcast_to(ages, when.shape)[kept]),
        (2, WEEKS, len(ages)),
    )
    size = 2 * WEEKS * len(ages)
    counts = [
        np.bincount(place, values[kept].astype(float), size)
        for values in (np.ones(when.shape), active, paid)
    ]
    held = counts[0] > 0
    later, weeks, age = np.unravel_index(np.arange(size), (2, WEEKS, len(ages)))
    columns = (later * AHEAD, weeks, age, *counts)
    names = ("days_ahead", "weeks", "ages", "people", "active", "revenue")
    return {name: column[held] for name, column in zip(names, columns, strict=True)}


def known(rows: dict[str, Array]) -> CohortDays:
    kept = rows["days_ahead"] == 0
    return cohort_days(
        *(rows[name][kept] for name in ("weeks", "ages", "people", "active", "revenue"))
    )


def fitted(cohorts: CohortDays) -> CohortValue:
    return fit_cohort_value(cohorts, **SETTINGS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def crowd() -> dict[str, Array]:
    return drawn(np.random.default_rng(8), 3000)


# ---------------------------------------------------------------- sums that must be exact
def test_ages_that_most_have_lived_through_are_taken_as_they_were(crowd: dict[str, Array]) -> None:
    cohorts = known(crowd)
    model = fitted(cohorts)
    size, paid = cohorts.people.sum(axis=0), cohorts.revenue.sum(axis=0)
    assert size[model.observed_days - 1] >= size[0] / 2 > size[model.observed_days]
    found = predict_value(model, np.ones(30), 0.8)
    assert found.value == pytest.approx(sum(paid[a] / size[a] for a in range(30)), rel=1e-12)
    assert found.value == found.observed
    assert found.active_days == 0
    curve = retention_curve(model, 30)
    assert curve == pytest.approx((cohorts.active.sum(axis=0) / size)[:30], rel=1e-12)


def test_what_was_not_seen_is_active_days_times_revenue_per_active_day(
    crowd: dict[str, Array],
) -> None:
    model = fitted(known(crowd))
    curve, found = retention_curve(model, 365), predict_value(model, np.ones(365), 0.8)
    seen, latest = model.observed_days, model.latest
    each = model.cohorts.revenue[:, latest].sum() / model.cohorts.active[:, latest].sum()
    assert latest.stop - latest.start == 28
    assert found.revenue_per_active_day == pytest.approx(each, rel=1e-12)
    assert found.active_days == pytest.approx(curve[seen:].sum(), rel=1e-9)
    assert found.value == pytest.approx(found.observed + curve[seen:].sum() * each, rel=1e-9)
    # Revenue and retention of the latest ages are those the projection goes on from.
    assert (curve[seen:][:-1] >= curve[seen:][1:]).all()
    values = predict_values(model, [30, 90, 180, 365], 0.8)
    assert [value.value for value in values] == sorted(value.value for value in values)


def test_weights_add_up(crowd: dict[str, Array]) -> None:
    # A prediction for some and for others is the prediction for both.
    model, random = fitted(known(crowd)), np.random.default_rng(1)
    some, others = random.random((2, 150))
    parts = [predict_value(model, weights, 0.8).value for weights in (some, others)]
    assert predict_value(model, some + others, 0.8).value == pytest.approx(sum(parts), rel=1e-12)


def test_errors_are_those_of_leaving_out_one_week_after_the_other() -> None:
    model = fitted(known(drawn(np.random.default_rng(3), 4000)))
    for weights, within in ((np.ones(60), 0.03), (np.ones(365), 0.12)):
        found = predict_value(model, weights, 0.8)
        cohorts = model.cohorts
        left_out = []
        for week in range(WEEKS):
            rest = [np.delete(table, week, axis=0) for table in (cohorts.people, cohorts.active)]
            less = CohortDays(*rest, np.delete(cohorts.revenue, week, axis=0))
            # The same ages count as seen, or the estimate would be another one.
            again = replace(fitted(less), observed_days=model.observed_days, latest=model.latest)
            left_out.append(predict_value(again, weights, 0.8).value)
        spread = np.sqrt((WEEKS - 1) / WEEKS * np.sum((left_out - np.mean(left_out)) ** 2))
        weeks = int((cohorts.people[:, model.latest].sum(axis=1) > 0).sum())
        reach = np.log(found.high / found.low) / 2 / student.ppf(0.9, weeks - 1)
        assert reach * found.value == pytest.approx(spread, rel=within)


def test_order_money_and_copies_do_not_matter(crowd: dict[str, Array]) -> None:
    model = fitted(known(crowd))
    first = predict_value(model, np.ones(365), 0.8)
    order = np.random.default_rng(2).permutation(len(crowd["ages"]))
    shuffled = fitted(known({name: column[order] for name, column in crowd.items()}))
    assert predict_value(shuffled, np.ones(365), 0.8) == first
    cents = replace(model.cohorts, revenue=model.cohorts.revenue * 100)
    dear = predict_value(fitted(cents), np.ones(365), 0.8)
    for name in ("value", "low", "high"):
        assert getattr(dear, name) == pytest.approx(100 * getattr(first, name), rel=1e-9)
    # The same people twice are no second crowd: the interval stays.
    double = CohortDays(*(2 * table for table in vars(model.cohorts).values()))
    twice = predict_value(fitted(double), np.ones(365), 0.8)
    for name in ("value", "low", "high"):
        assert getattr(twice, name) == pytest.approx(getattr(first, name), rel=1e-5)


# ---------------------------------------------------------------- what was planted
def test_planted_retention_and_value_are_recovered() -> None:
    # The mean of 40 estimates has the spread of one over the root of 40; 4 of those are no chance.
    found, ends = [], []
    for seed in range(40):
        model = fitted(known(drawn(np.random.default_rng(100 + seed), 2000)))
        found.append(predict_value(model, np.ones(365), 0.8).value)
        ends.append(retention_curve(model, 365)[-1])
    for values, truth, sees in (
        (np.array(found), true_value(365), 0.06),
        (np.array(ends), true_curve(365)[-1], 0.15),
    ):
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert 4 * error <= sees * truth
        assert abs(values.mean() - truth) <= 4 * error


def test_intervals_cover_what_they_promise() -> None:
    # 80 % of the values and of the hold-outs, within four deviations of a binomial count.
    runs, value, paid, bias = 150, 0, 0, []
    for seed in range(runs):
        rows = drawn(np.random.default_rng(1000 + seed), 1200)
        model = fitted(known(rows))
        found = predict_value(model, np.ones(365), 0.8)
        value += found.low <= true_value(365) <= found.high
        later = rows["days_ahead"] > 0
        weights = np.bincount(rows["ages"][later], rows["people"][later])
        total = predict_value(model, weights, 0.8, AHEAD)
        observed = rows["revenue"][later].sum()
        paid += total.low <= observed <= total.high
        bias.append(total.value / observed)
    recovers(value, 0.8 * runs, 0.16 * runs, sees=0.17)
    recovers(paid, 0.8 * runs, 0.16 * runs, sees=0.17)
    error = np.std(bias) / np.sqrt(runs)
    assert error < 0.02
    # A ratio to a chance total is a little above 1 on average: half its squared spread, and four deviations.
    assert abs(np.mean(bias) - 1) <= 4 * error + np.var(bias)


# ---------------------------------------------------------------- data without an answer
def few(weeks: int = 8, people: float = 20, active: float = 10, revenue: float = 5) -> CohortDays:
    shape = (weeks, 7 * weeks)
    there = np.where(np.arange(7 * weeks) < 7 * (weeks - np.arange(weeks))[:, None], people, 0.0)
    share = np.full(shape, active / people) * 0.97 ** np.arange(shape[1])
    share[:, 0] = 1
    return CohortDays(there, np.floor(there * share), np.where(there > 0, revenue, 0.0))


@pytest.mark.parametrize(
    ("cohorts", "near", "far"),
    [
        (few(), None, None),
        (few(people=2, active=1), Missing.TOO_FEW_CUSTOMERS, Missing.TOO_FEW_CUSTOMERS),
        (few(weeks=3, people=90), Missing.TOO_FEW_PERIODS, Missing.TOO_FEW_PERIODS),
        (few(revenue=0), Missing.NO_REVENUE, Missing.NO_REVENUE),
        (few(active=0), None, Missing.NO_RETURNS),
        (few(revenue=-1), Missing.NO_REVENUE, Missing.NO_REVENUE),
        (CohortDays(*np.zeros((3, 0, 0))), Missing.TOO_FEW_CUSTOMERS, Missing.TOO_FEW_CUSTOMERS),
        (few(active=19.999), None, None),
    ],
)
def test_groups_without_an_answer_say_why(
    cohorts: CohortDays, near: Missing | None, far: Missing | None
) -> None:
    model = fitted(cohorts)
    for days, reason in ((14, near), (365, far)):
        found = predict_value(model, np.ones(days), 0.8)
        assert found.reason == reason
        assert np.isnan(found.value) == (reason is not None)
        if reason is None:
            assert found.low <= found.value <= found.high


def test_who_pays_first_only_has_no_future_revenue() -> None:
    cohorts = few()
    early = replace(cohorts, revenue=np.where(np.arange(56) < 2, cohorts.revenue, 0.0))
    model = fitted(early)
    # 8 weeks of 20 people pay 5 a week and age.
    assert predict_value(model, np.ones(14), 0.8).value == pytest.approx(2 * 5 / 20)
    assert predict_value(model, np.ones(365), 0.8).reason == Missing.NO_REVENUE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ages": [0, 0.5]}, "whole numbers"),
        ({"ages": [0, -1]}, "whole numbers"),
        ({"active": [3, 1]}, "between 0 and people"),
        ({"ages": [0, 0]}, "twice"),
        ({"people": [2, np.nan]}, "finite"),
    ],
)
def test_rows_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    rows: dict[str, Any] = {
        "weeks": [1, 1], "ages": [0, 1], "people": [2, 2], "active": [2, 1], "revenue": [0, 1],
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        cohort_days(**(rows | change))
    with pytest.raises(ValueError, match="level"):
        predict_value(fitted(few()), [1.0], 1.0)


# ---------------------------------------------------------------- tables
def test_each_segment_stands_alone(crowd: dict[str, Array]) -> None:
    kept = crowd["days_ahead"] == 0
    facts = [crowd[name][kept] for name in ("weeks", "ages", "people", "active", "revenue")]
    count = int(kept.sum())
    names = np.repeat(["all", "web", "tiny"], count)
    dimensions = np.repeat(["all", "channel", "channel"], count)
    scale = np.repeat([1.0, 1.0, 0.001], count)
    table = value_forecasts(
        dimensions, names, *(np.tile(column, 3) for column in facts[:2]),
        *(np.tile(column, 3) * scale for column in facts[2:]),
        horizons=[30, 365], **SETTINGS, level=0.8,
    )  # fmt: skip
    assert table["segment_value"].tolist() == ["all", "all", "tiny", "tiny", "web", "web"]
    assert table["horizon_days"].tolist() == [30, 365] * 3
    assert table["missing_reason"].tolist() == [None] * 2 + ["too_few_customers"] * 2 + [None] * 2
    assert np.isnan(table["value"]).tolist() == [False] * 2 + [True] * 2 + [False] * 2
    assert table["value"][:2].tolist() == table["value"][4:].tolist()


def test_hold_outs_add_their_stretches(crowd: dict[str, Array]) -> None:
    later = crowd["days_ahead"] > 0
    # The stretch ahead in two: even and odd ages stand for its halves.
    ahead = np.where(later, np.where(crowd["ages"] % 2 == 0, 14, 28), 0)
    names = np.full(len(ahead), "all")
    facts = [crowd[name] for name in ("people", "active", "revenue")]
    table = value_hold_outs(
        names, names, crowd["weeks"], crowd["ages"], ahead, *facts, **SETTINGS, level=0.8
    )
    assert table["days_ahead"].tolist() == [14, 28]
    assert table["observed_revenue"][1] == pytest.approx(crowd["revenue"][later].sum())
    assert 0 < table["value"][0] < table["value"][1]
    assert all(
        covered == (low <= paid <= high)
        for covered, low, paid, high in zip(
            *(
                table[name]
                for name in ("is_covered", "value_low", "observed_revenue", "value_high")
            ),
            strict=True,
        )
    )


def test_no_rows_give_no_rows() -> None:
    nothing: list[Any] = []
    table = value_forecasts(*[nothing] * 7, horizons=[30], **SETTINGS, level=0.8)
    assert {len(column) for column in table.values()} == {0}
    table = value_hold_outs(*[nothing] * 8, **SETTINGS, level=0.8)
    assert {len(column) for column in table.values()} == {0}


# ---------------------------------------------------------------- the simulated world
@pytest.mark.truth
def test_realised_value_of_the_sample_by_one_statement(sample: World) -> None:
    """Orders and advertisements per member at each age, over those who lived through it."""
    rows = sample.warehouse.query(
        "with people as (select person_key, first_active_date as born "
        "from intermediate.int_persons_cohorted), "
        "paid as (select people.person_key, greatest(activity_date - born, 0) as age, "
        "gross_usd - refunded_usd + ad_revenue_usd as usd "
        "from intermediate.int_payments_aggregated_to_person_days inner join people using (person_key)) "
        "select sum(value) from (select age, (select sum(usd) from paid inner join people using (person_key) "
        "where paid.age = ages.age and born + cast(ages.age as integer) <= as_of_date) "
        "/ (select count(*) from people where born + cast(ages.age as integer) <= as_of_date) as value "
        "from (select unnest(range(30)) as age) as ages cross join intermediate.int_as_of)"
    )
    found = sample.warehouse.query(
        "select predicted_ltv_usd, is_projected, as_of_date from subscription.agg_lifetime_values__forecast "
        "where segment_dimension = 'all' and horizon_days = 30"
    )
    assert found[0][1] is False
    assert float(found[0][0]) == pytest.approx(float(rows[0][0]), abs=2e-6)


@pytest.mark.truth
def test_weeks_held_out_of_a_simulated_world_are_foreseen(world: World) -> None:
    """Known 28 days before the end, the rest predicted: within the 99 % interval, which is narrow."""
    rows = world.warehouse.query(
        "select cast(floor((as_of_date - 28 - cohort_date) / 7) as bigint) as weeks, age_days, "
        "case when calendar_date <= as_of_date - 28 then 0 else 28 end as ahead, "
        "cast(sum(person_count) as double), cast(sum(active_count) as double), "
        "cast(sum(revenue_usd) as double) "
        "from intermediate.int_cohort_days_valued cross join intermediate.int_as_of "
        "where segment_dimension = 'all' and cohort_date <= as_of_date - 28 group by all"
    )
    week, age, ahead, people, active, revenue = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    names = np.full(len(week), "all")
    # 47 days are known, so half the people lived through three weeks.
    table = value_hold_outs(
        names, names, week, age, ahead, people, active, revenue,
        minimum_people=50, observed_share=0.5, latest_days=14, level=0.99,
    )  # fmt: skip
    assert table["missing_reason"].tolist() == [None]
    assert table["is_covered"].tolist() == [True]
    assert table["value_high"][0] / table["value_low"][0] < 2.5
