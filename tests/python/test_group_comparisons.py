"""Comparison of groups: the closed form against people one by one, against repeated draws, and the marts
against a recount in plain Python and against what was planted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.statistics.comparisons import Comparison, PersonSums, compare_groups
from plumbline.statistics.outcomes import Reason
from worlds import World

# The fixture of the second opinion: accepted events, machines and staff, read from the raw files.
from test_sample_truth import recount  # noqa: F401  isort: skip
from recounted import Recount  # isort: skip

Array = NDArray[np.float64]
Z95 = 1.959963984540054


def _compare(
    side: Sequence[str],
    y: Array,
    x: Array,
    stratum: Sequence[str] | None = None,
    minimum_people: int = 2,
) -> Comparison:
    """Comparison of people given one by one: each is a row of one person."""
    count = len(side)
    strata = ["all"] * count if stratum is None else stratum
    sums = PersonSums.of(np.ones(count), y, x, y * y, x * x, y * x)
    return compare_groups(
        ["c"] * count,
        ["m"] * count,
        strata,
        side,
        sums,
        confidence=0.95,
        minimum_people=minimum_people,
    )


def _people(seed: int, count: int) -> tuple[list[str], Array, Array, list[str]]:
    """People with correlated numerators and denominators, in strata that the groups hold unequally."""
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 4, count)
    side = np.where(rng.random(count) < 0.2 + 0.15 * stratum, "a", "b")
    x = rng.poisson(3 + stratum, count) + 1.0
    y = rng.poisson(x * (1 + 0.5 * stratum)).astype(float)
    return side.tolist(), y, x, [f"s{number}" for number in stratum]


def test_raw_ratio_equals_the_delta_method_person_by_person() -> None:
    side, y, x, _ = _people(1, 400)
    found = _compare(side, y, x)
    values, variances = [], []
    for name in "ab":
        here = np.array([s == name for s in side])
        ratio = y[here].sum() / x[here].sum()
        influence = (y[here] - ratio * x[here]) / x[here].mean()
        values.append(ratio)
        variances.append(influence.var(ddof=1) / here.sum())
    reach = Z95 * sqrt(sum(variances))
    assert found.adjustment == ("raw", "adjusted")
    assert found.difference.values[0] == pytest.approx(values[0] - values[1], rel=1e-12)
    assert found.interval.low[0] == pytest.approx(values[0] - values[1] - reach, rel=1e-10)
    assert found.interval.high[0] == pytest.approx(values[0] - values[1] + reach, rel=1e-10)
    assert found.relative_difference.values[0] == pytest.approx(
        values[0] / values[1] - 1, rel=1e-10
    )
    # One stratum is no adjustment.
    assert found.difference.values[1] == pytest.approx(found.difference.values[0], rel=1e-12)
    assert found.interval.low[1] == pytest.approx(found.interval.low[0], rel=1e-10)


def test_adjusted_ratio_equals_weighted_people_and_their_jackknife() -> None:
    side, y, x, stratum = _people(2, 600)
    found = _compare(side, y, x, stratum)

    def ratio(name: str, left_out: int = -1) -> float:
        """Weighted ratio of a group, the mix of strata being that of everyone; without one person."""
        top = bottom = 0.0
        for value in sorted(set(stratum)):
            members = [
                place
                for place in range(len(side))
                if side[place] == name and stratum[place] == value and place != left_out
            ]
            weight = stratum.count(value) / len(side)
            top += weight * float(y[members].mean())
            bottom += weight * float(x[members].mean())
        return top / bottom

    whole = {name: ratio(name) for name in "ab"}
    assert found.value.values[1] == pytest.approx([whole["a"], whole["b"]], rel=1e-12)
    # The stratified jackknife estimates the same variance in another way (Cochran 6.18).
    variance = 0.0
    sizes = {
        (n, s): sum(p == (n, s) for p in zip(side, stratum, strict=True))
        for n in "ab"
        for s in stratum
    }
    for place, key in enumerate(zip(side, stratum, strict=True)):
        size = sizes[key]
        variance += (size - 1) / size * (ratio(side[place], place) - whole[side[place]]) ** 2
    reach = found.interval.width[1] / 2
    assert reach == pytest.approx(Z95 * sqrt(variance), rel=0.02)
    # The groups differ by their mix: like with like they are alike, raw they are not.
    assert found.p_value.values[0] < 1e-6
    assert found.p_value.values[1] > 0.01


def test_swapped_labels_change_the_sign_and_nothing_else() -> None:
    for seed in range(20):
        side, y, x, stratum = _people(seed, 150)
        there = _compare(side, y, x, stratum)
        back = _compare(["b" if name == "a" else "a" for name in side], y, x, stratum)
        assert (back.difference.values == -there.difference.values).all()
        assert (back.interval.low == -there.interval.high).all()
        assert (back.interval.high == -there.interval.low).all()
        assert (back.p_value.values == there.p_value.values).all()
        assert (back.coverage.values == there.coverage.values).all()
        assert (back.value.values == there.value.values[:, ::-1]).all()


def test_more_days_of_the_same_people_do_not_narrow_the_interval() -> None:
    side, y, x, stratum = _people(3, 300)
    once, twice = _compare(side, y, x, stratum), _compare(side, 2 * y, 2 * x, stratum)
    assert twice.difference.values == pytest.approx(once.difference.values, rel=1e-12)
    assert twice.interval.width == pytest.approx(once.interval.width, rel=1e-9)
    # More people do.
    people = _compare(side * 4, np.tile(y, 4), np.tile(x, 4), stratum * 4)
    assert people.interval.width == pytest.approx(once.interval.width / 2, rel=0.02)


def test_sums_of_many_people_equal_the_people_one_by_one() -> None:
    side, y, x, stratum = _people(4, 500)
    keys = sorted(set(zip(stratum, side, strict=True)))
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(stratum, side, strict=True)):
        rows[key].append(place)
    sums = [
        [len(rows[key]), *(v[rows[key]].sum() for v in (y, x, y * y, x * x, y * x))] for key in keys
    ]
    grouped = compare_groups(
        ["c"] * len(keys), ["m"] * len(keys), [key[0] for key in keys], [key[1] for key in keys],
        PersonSums.of(*np.array(sums, dtype=float).T), confidence=0.95, minimum_people=2,
    )  # fmt: skip
    single = _compare(side, y, x, stratum)
    assert (grouped.difference.values == single.difference.values).all()
    assert (grouped.interval.low == single.interval.low).all()


def test_intervals_cover_as_often_as_they_say() -> None:
    """2,000 draws of two groups that are alike: the raw and the adjusted interval miss 5 % of the time."""
    rng = np.random.default_rng(5)
    draws, count = 2000, 300
    people = (draws, count)
    x = rng.poisson(4, people) + 1.0
    # Days of a person depend on each other: every person has a rate of their own.
    y = rng.poisson(x * rng.gamma(2.0, 1.0, people)).astype(float)
    side = np.where(rng.random(people) < 0.4, "a", "b")
    stratum = rng.integers(0, 5, people)
    names = np.broadcast_to(np.arange(draws)[:, None], people).ravel()
    found = compare_groups(
        [f"{n:04}" for n in names], ["m"] * names.size, [str(s) for s in stratum.ravel()],
        side.ravel().tolist(),
        PersonSums.of(np.ones(names.size), *(v.ravel() for v in (y, x, y * y, x * x, y * x))),
        confidence=0.95, minimum_people=2,
    )  # fmt: skip
    missed = 1 - found.interval.contains(0.0).reshape(2, draws).mean(axis=1)
    # Four standard errors of 2,000 draws, and half a point for groups of a hundred.
    assert (abs(missed - 0.05) < 4 * sqrt(0.05 * 0.95 / draws) + 0.005).all()


def test_a_difference_of_the_mix_is_no_difference_of_the_people() -> None:
    """Simpson: in every stratum the groups are equal, and the raw values lie far apart."""
    rows = [
        ("a", "long", 1.0, 90),
        ("a", "short", 0.0, 10),
        ("b", "long", 1.0, 10),
        ("b", "short", 0.0, 90),
    ]
    rng = np.random.default_rng(6)
    side, stratum, y = [], [], []
    for name, where, high, count in rows:
        side += [name] * count
        stratum += [where] * count
        y += [float(rng.random() < (0.7 if high else 0.2)) for _ in range(count)]
    found = _compare(side, np.array(y), np.ones(len(y)), stratum)
    assert found.p_value.values[0] < 1e-6
    assert found.p_value.values[1] > 0.05


def test_what_is_undefined_has_a_reason() -> None:
    side = ["a"] * 3 + ["b"] * 3
    y, x = np.array([1.0, 2, 3, 4, 5, 7]), np.ones(6)

    def reasons(found: Comparison) -> list[str | None]:
        columns = found.columns()
        for name in ("difference_low", "difference_high", "p_value"):
            missing = np.isnan(columns[name])
            assert (missing == [reason is not None for reason in columns["reason"]]).all()
        reason: list[str | None] = columns["reason"]
        return reason

    assert reasons(_compare(side, y, x)) == [None, None]
    assert reasons(_compare(side, y, x, minimum_people=4)) == [Reason.TOO_FEW_USERS.label] * 2
    assert reasons(_compare(side[:3], y[:3], x[:3])) == ["no_users", "no_overlap"]
    assert reasons(_compare(side, y, x, ["s", "s", "s", "t", "t", "t"])) == [None, "no_overlap"]
    assert reasons(_compare(side, np.full(6, 0.1), x)) == ["zero_variance"] * 2
    assert reasons(_compare(side, 0.3 * y, y)) == ["zero_variance"] * 2
    assert reasons(_compare(side, y, 0 * x)) == ["zero_denominator"] * 2
    # Nobody in group b did anything: a difference, but nothing it is relative to.
    lone = _compare(side, np.array([1.0, 2, 3, 0, 0, 0]), x)
    assert reasons(lone)[0] is None
    assert not lone.relative_difference.defined.any()
    # Half of the people are in a stratum of both groups.
    half = _compare(side, y, x, ["s", "s", "t", "s", "s", "u"])
    assert half.coverage.values.tolist() == pytest.approx([1.0, 4 / 6])


def test_nobody_to_compare_is_an_empty_table() -> None:
    columns = _compare([], np.empty(0), np.empty(0)).columns()
    assert {name: len(values) for name, values in columns.items()} == dict.fromkeys(columns, 0)


def test_bad_input_is_refused() -> None:
    y = np.ones(2)
    with pytest.raises(ValueError, match="side"):
        _compare(["a", "c"], y, y)
    with pytest.raises(ValueError, match="finite"):
        _compare(["a", "b"], y * np.nan, y)
    with pytest.raises(ValueError, match="confidence"):
        compare_groups(["c"], ["m"], ["s"], ["a"], PersonSums.of(*[[1.0]] * 6),
                       confidence=95, minimum_people=2)  # fmt: skip


# ---------------------------------------------------------------- the mart
COLUMNS = (
    "people_a_count, people_b_count, numerator_a, denominator_a, numerator_b, denominator_b, difference, "
    "difference_low, difference_high"
)


def _published(world: World, comparison: str, metric: str, adjustment: str) -> dict[str, Any]:
    rows = world.warehouse.query(
        f"select {COLUMNS} from engagement.agg_group_comparisons where comparison = '{comparison}' "
        f"and metric = '{metric}' and adjustment = '{adjustment}'"
    )
    assert len(rows) == 1
    return dict(zip(COLUMNS.split(", "), rows[0], strict=True))


def _roles(world: World) -> dict[str, str]:
    return dict(world.warehouse.query("select person_id, role from core.dim_persons"))


def test_days_of_teachers_and_the_rest_by_loops(sample: World, recount: Recount) -> None:  # noqa: F811
    """Share of active days and messages per active day of the last 28 days, one event at a time."""
    first: dict[str, Any] = {}
    days, messages = defaultdict(set), defaultdict(int)
    begin = recount.as_of - timedelta(days=27)
    for event in recount.people():
        if event.name in ("message_sent", "feature_used"):
            first[event.person] = min(event.day, first.get(event.person, event.day))
            if event.day >= begin:
                days[event.person].add(event.day)
        if event.name == "message_sent" and event.method != "regenerate" and event.day >= begin:
            messages[event.person] += 1
    roles = _roles(sample)
    groups = {
        "a": [person for person in first if roles[person] == "teacher"],
        "b": [person for person in first if roles[person] in ("student", "consumer")],
    }
    told: dict[str, dict[str, Array]] = {}
    for side, people in groups.items():
        told[side] = {
            "eligible": np.array(
                [min(28, (recount.as_of - first[p]).days + 1) for p in people], float
            ),
            "active": np.array([len(days[p]) for p in people], float),
            "messages": np.array([messages[p] for p in people], float),
        }
    for metric, top, bottom in (
        ("active_day_share", "active", "eligible"),
        ("messages_per_active_day", "messages", "active"),
    ):
        values, variances = {}, 0.0
        found = _published(sample, "teacher_against_rest", metric, "raw")
        for side, measures in told.items():
            inside = measures[bottom] > 0
            y, x = measures[top][inside], measures[bottom][inside]
            assert found[f"people_{side}_count"] == inside.sum()
            assert found[f"numerator_{side}"] == y.sum()
            assert found[f"denominator_{side}"] == x.sum()
            values[side] = y.sum() / x.sum()
            variances += float(((y - values[side] * x) / x.mean()).var(ddof=1)) / len(y)
        difference = values["a"] - values["b"]
        if found["difference"] is None:
            assert min(found["people_a_count"], found["people_b_count"]) < 30
            continue
        assert found["difference"] == pytest.approx(difference, rel=1e-12)
        assert found["difference_low"] == pytest.approx(
            difference - Z95 * sqrt(variances), rel=1e-9
        )


@pytest.mark.truth
def test_teachers_return_more_than_consumers_as_planted(world: World) -> None:
    activity = world.truth.planted["product"]["role_activity"]
    assert activity["teacher"] > 1.1 * activity["consumer"]
    # A fifth more activity is about four standard errors of so many people.
    for adjustment in ("raw", "adjusted"):
        found = _published(world, "teacher_against_consumer", "active_day_share", adjustment)
        assert found["difference_low"] > 0
    # Day 7: the difference that was planted lies within four of its own standard errors.
    planted = world.truth.expected["retention"]["7"]
    a, b = planted["teacher"], planted["consumer"]
    found = _published(world, "teacher_against_consumer", "d7_retention_rate", "raw")
    assert (found["people_a_count"], found["people_b_count"]) == (a["size"], b["size"])
    told = a["expected"] / a["size"] - b["expected"] / b["size"]
    error = sqrt(a["variance"] / a["size"] ** 2 + b["variance"] / b["size"] ** 2)
    assert abs(found["difference"] - told) < 4 * error
    # The published interval is made of the people alone and is as wide as the planted chances say.
    half = (found["difference_high"] - found["difference_low"]) / 2
    assert 0.9 < half / (Z95 * error) < 1.2


@pytest.mark.truth
def test_a_split_by_lot_finds_nothing(world: World) -> None:
    rows = world.warehouse.query(
        "select metric, adjustment, p_value from engagement.agg_group_comparisons "
        "where comparison = 'placebo' and p_value is not null"
    )
    assert len(rows) >= 12
    # Seven metrics, two ways each: the smallest of fourteen p-values is held to a Bonferroni bound of 1e-3.
    assert min(p for *_, p in rows) > 1e-3 / 14
    assert sum(p < 0.05 for *_, p in rows) <= 4
