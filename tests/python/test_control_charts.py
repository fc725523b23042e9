"""Control charts: the published table, plain loops, bounded false alarms, and how soon a shift is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.statistics.control_charts import Charts, Rules, daily_charts, ewma, tabular_cusum

RULES = Rules(slack=0.5, limit=5.0, weight=0.2, width=3.0, guard=2.0)


@pytest.mark.shared
def test_cusum_equals_the_published_table(shared_data: Path) -> None:
    document = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))
    case = next(case for case in document["cases"] if case["id"] == "tabular_cusum")
    given, published = case["inputs"], case["published"]
    found = tabular_cusum(given["x"], given["target"], given["K"], given["H"])
    assert found.high[0] == pytest.approx(published["S_H"], abs=case["tolerance"]["abs"])
    assert found.low[0] == pytest.approx(published["S_L"], abs=case["tolerance"]["abs"])
    assert found.signal.sum() == case["recomputed"]["signals"] == 0


def test_ewma_equals_its_recursion_and_skips_what_is_missing() -> None:
    x = [1.0, np.nan, -2.0, 4.0]
    found = ewma(x, 0.2, 3.0)
    first = 0.2
    second = 0.8 * first - 0.4
    third = 0.8 * second + 0.8
    assert found.mean[0] == pytest.approx([first, first, second, third])
    limits = [3 * np.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * t))) for t in (1, 1, 2, 3)]
    assert found.limit[0] == pytest.approx(limits)
    held = tabular_cusum([3.0, np.nan, 3.0], 0.0, 0.5, 4.0)
    assert held.high[0].tolist() == [2.5, 2.5, 5.0]
    assert held.signal[0].tolist() == [0, 0, 1]


def _shares(
    seed: int, series: int, days: int, n: int, base_n: int, base: float, later: float
) -> Charts:
    """Many charts of a share: a base drawn at one level, days at another."""
    rng = np.random.default_rng(seed)
    drawn = np.maximum(rng.binomial(base_n, base, series), 1)
    flagged = rng.binomial(n, later, (series, days))
    key, day = np.repeat(np.arange(series), days), np.tile(np.arange(days), series)
    ones = np.ones(series * days)
    bases = np.repeat(drawn, days)
    return daily_charts(key, day, n * ones, flagged.ravel(), base_n * ones, bases, bases, RULES)


@pytest.mark.parametrize(
    ("n", "base_n", "level"),
    [(100, 500, 0.05), (230, 900, 0.02), (60, 400, 0.1), (400, 6000, 0.03)],
)
def test_false_alarms_are_bounded_though_the_base_is_an_estimate(
    n: int, base_n: int, level: float
) -> None:
    """A known base gives one false CUSUM signal in 465 days; so does no chart here, base estimated."""
    found = _shares(1, 500, 60, n, base_n, level, level)
    for began in found.is_new:
        # 30,000 days; four standard errors of the planned count.
        allowed = 30_000 / 465
        assert began.sum() <= allowed + 4 * np.sqrt(allowed)


def test_scores_in_control_rarely_alarm_either() -> None:
    rng = np.random.default_rng(2)
    series, days, n, base_n = 500, 60, 20, 300
    base = np.clip(np.rint(rng.normal(3.8, 1, (series, base_n))), 1, 5)
    later = np.clip(np.rint(rng.normal(3.8, 1, (series, days, n))), 1, 5)
    found = daily_charts(
        np.repeat(np.arange(series), days), np.tile(np.arange(days), series),
        np.full(series * days, n), later.sum(axis=2).ravel(), np.full(series * days, base_n),
        np.repeat(base.sum(axis=1), days), np.repeat((base**2).sum(axis=1), days), RULES,
    )  # fmt: skip
    allowed = series * days / 465
    for began in found.is_new:
        assert began.sum() <= allowed + 4 * np.sqrt(allowed)


def test_a_bad_version_is_seen_within_three_days() -> None:
    """5 % faulty texts become 16 %, with 100 answers a day: the planted shift of the generator.

    One day alone passes the limit with about 80 % (13 of 100, the error of the base granted): three miss it
    in 1 % of cases; four standard errors of 1,000 draws are 1.3 points.
    """
    found = _shares(3, 1000, 3, 100, 3000, 0.05, 0.16)
    seen = (found.cusum_signal == 1) | (found.shewhart_signal == 1)
    assert seen.reshape(1000, 3).any(axis=1).mean() > 0.99 - 4 * np.sqrt(0.01 * 0.99 / 1000)
    assert not (found.cusum_signal == -1).any()


def test_a_small_shift_that_lasts_is_seen_by_the_sums_before_the_single_day() -> None:
    found = _shares(4, 500, 60, 200, 20_000, 0.05, 0.065)

    def first(signal: Any) -> Any:
        seen = signal.reshape(500, 60) == 1
        return np.where(seen.any(axis=1), seen.argmax(axis=1), 60)

    assert np.median(first(found.cusum_signal)) < np.median(first(found.shewhart_signal))
    assert np.median(first(found.ewma_signal)) < np.median(first(found.shewhart_signal))


def test_limits_follow_the_answers_of_the_day_and_rows_any_order() -> None:
    n = np.array([50.0, 200.0, 50.0, 200.0])
    total = np.array([20.0, 20.0, 5.0, 60.0])
    args = (np.full(4, 1000.0), np.full(4, 100.0), np.full(4, 100.0), RULES)
    found = daily_charts([0, 0, 1, 1], [1, 2, 1, 2], n, total, *args)
    assert found.low[0] < found.low[1] < 0.1 < found.high[1] < found.high[0]
    assert ((found.z > 3) == (found.mean > found.high)).all()
    assert found.shewhart_signal.tolist() == [1, 0, 0, 1]
    assert found.is_new[0].tolist() == [True, False, False, True]
    order = np.array([3, 0, 2, 1])
    mixed = daily_charts(
        np.array([0, 0, 1, 1])[order], np.array([1, 2, 1, 2])[order], n[order], total[order], *args
    )
    assert mixed.cusum_high.tolist() == found.cusum_high[order].tolist()
    assert mixed.ewma.tolist() == found.ewma[order].tolist()


def test_nothing_to_chart_and_nothing_to_compare_with() -> None:
    nothing: list[float] = []
    found = daily_charts(nothing, nothing, nothing, nothing, nothing, nothing, nothing, RULES)
    assert found.z.shape == (0,)
    with pytest.raises(ValueError, match="base that varies"):
        daily_charts([0], [1], [10], [3], [100], [0], [0], RULES)
