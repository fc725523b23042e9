"""Kaplan-Meier curves: published tables, closed forms, and the coverage that the interval promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plumbline.statistics.survival import Curves, kaplan_meier

# Remission times of the 6-MP arm of Freireich et al. (1963), negative where the watch ended.
SIX_MP = (
    6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35,
)  # fmt: skip


def counts(
    times: Sequence[float], ended: Sequence[bool]
) -> tuple[list[float], list[int], list[int]]:
    """Times, at risk and ended, from one time a person."""
    stops = sorted(set(times))
    at_risk = [sum(time >= stop for time in times) for stop in stops]
    ends = [sum(t == s and e for t, e in zip(times, ended, strict=True)) for s in stops]
    return stops, at_risk, ends


def curve_of(
    times: Sequence[float], ended: Sequence[bool], confidence: float = 0.95
) -> dict[float, tuple[float, ...]]:
    stops, at_risk, ends = counts(times, ended)
    found = kaplan_meier(["all"] * len(stops), stops, at_risk, ends, confidence)
    columns = (found.survival, found.standard_error, found.low, found.high, found.restricted_mean)
    return dict(zip(stops, zip(*(c.tolist() for c in columns), strict=True), strict=True))


@pytest.fixture(scope="module")
def six_mp() -> dict[float, tuple[float, ...]]:
    return curve_of([abs(week) for week in SIX_MP], [week > 0 for week in SIX_MP])


@pytest.mark.parametrize(
    ("week", "survival", "error"),
    [(6, 0.8571, 0.0764), (7, 0.8067, 0.0869), (10, 0.7529, 0.0963), (13, 0.6902, 0.1068),
     (16, 0.6275, 0.1141), (22, 0.5378, 0.1282), (23, 0.4482, 0.1346)],
)  # fmt: skip
def test_published_table(
    six_mp: dict[float, tuple[float, ...]], week: int, survival: float, error: float
) -> None:
    assert six_mp[week][0] == pytest.approx(survival, abs=5.1e-5)
    assert six_mp[week][1] == pytest.approx(error, abs=5.1e-5)


def test_times_without_an_end_leave_the_curve_where_it_is(
    six_mp: dict[float, tuple[float, ...]],
) -> None:
    assert six_mp[9][:4] == six_mp[7][:4]
    assert six_mp[35][:4] == six_mp[23][:4]


@pytest.mark.shared
def test_reference_case(shared_data: Path) -> None:
    cases = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    case = next(case for case in cases if case["id"] == "km_freireich_6mp")
    arm, told = case["inputs"]["six_mp"], case["recomputed"]
    found = curve_of(arm["time"], [bool(event) for event in arm["event"]])
    _, at_risk, _ = counts(arm["time"], [bool(event) for event in arm["event"]])
    for week, survival in told["S_sql"].items():
        assert found[int(week)][0] == pytest.approx(survival, abs=1e-9)
        assert abs(found[int(week)][0] - case["published"]["S"][week]) <= case["tolerance"]["S"]
    assert dict(zip(found, at_risk, strict=True)) | {
        int(week): n for week, n in told["at_risk"].items()
    } == dict(zip(found, at_risk, strict=True))
    # The median is the first time at which no more than half are left.
    assert min(week for week, row in found.items() if row[0] <= 0.5) == told["median_6mp"]
    placebo = case["inputs"]["placebo_times_all_events"]
    others = curve_of(placebo, [True] * len(placebo))
    assert min(week for week, row in others.items() if row[0] <= 0.5) == told["median_placebo"]


def test_everybody_ends_in_closed_form() -> None:
    """Without censoring: the share still there, the binomial error, and the mean of min(time, t)."""
    times = [1, 1, 2, 4, 4, 4, 7, 9, 12, 12]
    for stop, (survival, error, _, _, mean) in curve_of(times, [True] * len(times)).items():
        share = sum(time > stop for time in times) / len(times)
        assert survival == pytest.approx(share, abs=1e-15)
        assert mean == pytest.approx(sum(min(time, stop) for time in times) / len(times))
        if share:
            assert error == pytest.approx((share * (1 - share) / len(times)) ** 0.5)
        else:
            assert np.isnan(error)


def test_interval_is_normal_on_the_log_log_scale(six_mp: dict[float, tuple[float, ...]]) -> None:
    survival, error, low, high, _ = six_mp[6]
    middle, reach = np.log(-np.log(survival)), 1.959963984540054 * error / -np.log(survival)
    assert np.log(-np.log([high, low])) == pytest.approx(
        [middle - reach / survival, middle + reach / survival]
    )
    wider = curve_of([1, 2, 3, 4], [True] * 4, confidence=0.99)
    usual = curve_of([1, 2, 3, 4], [True] * 4)
    assert wider[1][2] < usual[1][2] < usual[1][3] < wider[1][3]


def test_no_interval_where_nothing_ended_or_nobody_is_left() -> None:
    found = curve_of([1, 2, 3], [False, True, True])
    assert found[1][:2] == (1.0, 0.0)
    assert np.isnan(found[1][2:4]).all()
    assert found[3][0] == 0.0
    assert np.isnan(found[3][1:4]).all()


def test_groups_and_order_of_rows_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    rows = []
    for group in ("a", "b", "c=d"):
        times = rng.integers(1, 30, 200)
        ended = rng.random(200) < 0.7
        stops, at_risk, ends = counts(times.tolist(), ended.tolist())
        rows += [(group, *row) for row in zip(stops, at_risk, ends, strict=True)]
    alone = [
        kaplan_meier(*zip(*[row for row in rows if row[0] == group], strict=True))
        for group in ("a", "b", "c=d")
    ]
    shuffled = [rows[place] for place in rng.permutation(len(rows))]
    found = kaplan_meier(*zip(*shuffled, strict=True))
    back = np.lexsort(([row[1] for row in shuffled], [row[0] for row in shuffled]))
    for name in Curves.__dataclass_fields__:
        told = np.concatenate([getattr(curves, name) for curves in alone])
        np.testing.assert_array_equal(getattr(found, name)[back], told)


@given(st.lists(st.tuples(st.integers(1, 15), st.booleans()), min_size=1, max_size=60).map(sorted))
def test_curve_of_anybody_is_the_exact_product(people: list[tuple[int, bool]]) -> None:
    times, ended = zip(*people, strict=True)
    exact, area, before = Fraction(1), Fraction(0), 0.0
    for (stop, row), at_risk, ends in zip(
        curve_of(times, ended).items(), *counts(times, ended)[1:], strict=True
    ):
        area += exact * Fraction(stop - before)
        exact *= 1 - Fraction(ends, at_risk)
        before = stop
        survival, _, low, high, mean = row
        assert survival == pytest.approx(float(exact), abs=1e-13)
        assert mean == pytest.approx(float(area), rel=1e-12)
        assert np.isnan(low) == (exact in (0, 1))
        assert np.isnan(low) or 0 <= low <= survival <= high <= 1


def _simulated(rng: np.random.Generator, people: int, runs: int) -> Curves:
    """Exponential lives of mean 10, everybody watched for a time between 0 and 20; days as units."""
    life = np.ceil(rng.exponential(10, (runs, people)))
    watch = np.ceil(rng.uniform(0, 20, (runs, people)))
    stop, ended = np.minimum(life, watch), life <= watch
    days = np.arange(1, 8)
    at_risk: NDArray[np.int64] = (stop[:, :, None] >= days).sum(axis=1)
    ends = ((stop[:, :, None] == days) & ended[:, :, None]).sum(axis=1)
    return kaplan_meier(
        np.repeat(np.arange(runs), len(days)), np.tile(days, runs), at_risk.ravel(), ends.ravel()
    )


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    runs = 2000
    found = _simulated(np.random.default_rng(11), people=100, runs=runs)
    last = slice(6, None, 7)
    truth = np.exp(-0.7)
    covered = np.mean((found.low[last] <= truth) & (truth <= found.high[last]))
    # Four deviations of a share of 0.95 over so many runs, and half a point for 100 people being few.
    assert abs(covered - 0.95) <= 4 * (0.95 * 0.05 / runs) ** 0.5 + 0.005
    # Censoring does not bias the curve, and Greenwood's error is the scatter that it claims to be.
    survival = found.survival[last]
    assert abs(survival.mean() - truth) <= 4 * survival.std() / runs**0.5
    assert survival.std() == pytest.approx(found.standard_error[last].mean(), rel=0.08)


def test_nothing_in_nothing_out() -> None:
    assert all(
        not len(getattr(kaplan_meier([], [], [], []), n)) for n in Curves.__dataclass_fields__
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((["a"], [1], [3], [4]), "between 0 and at_risk"),
        ((["a"], [1], [0], [0]), "1 or more"),
        ((["a"], [1], [3], [-1]), "between 0 and at_risk"),
        ((["a"], [-1], [3], [1]), "times must be 0 or more"),
        ((["a"], [1], [np.nan], [1]), "finite"),
        ((["a"], [1, 2], [3, 2], [1, 1]), "one length"),
        ((["a", "a"], [1, 1], [3, 2], [1, 1]), "a time twice"),
        ((["a", "a"], [1, 2], [3, 3], [1, 1]), "more are at risk"),
    ],
)
def test_impossible_counts_are_refused(
    rows: tuple[list[str], list[float], list[float], list[float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kaplan_meier(*rows)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        kaplan_meier(["a"], [1], [2], [1], confidence)
