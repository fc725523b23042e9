"""Control charts: has a daily figure left the level it is compared with, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plumbline.statistics.outcomes import ArrayLike, Bools, Floats, Ints, floats


@dataclass(frozen=True)
class Cusum:
    """Tabular CUSUM, shape (series, times).

    Attributes:
        high: evidence of a rise.
        low: evidence of a fall.
        signal: 1 above the limit, -1 below, else 0.
    """

    high: Floats
    low: Floats
    signal: Ints


def tabular_cusum(values: ArrayLike, target: float, slack: float, limit: float) -> Cusum:
    """Two one-sided cumulative sums of what exceeds the slack.

    Formula: S_H(t) = max(0, x - (target + slack) + S_H(t - 1)), S_L(t) = max(0, (target - slack) - x +
    S_L(t - 1)); a signal where either exceeds the limit. NaN leaves both as they were. With standardised
    values, slack 0.5 and limit 5, a shift of one standard deviation is found after about 10 values and
    the first false alarm comes after about 465. Source: Page (1954); Montgomery and Runger, table 16-8.

    Args:
        values: shape (times,) or (series, times), in order of time.
        target: level in control.
        slack: half of the shift worth finding (k).
        limit: decision interval (h).
    """
    x = np.atleast_2d(np.asarray(values, dtype=np.float64))
    high, low = np.zeros(x.shape), np.zeros(x.shape)
    above, below = np.zeros(len(x)), np.zeros(len(x))
    known = ~np.isnan(x)
    held = np.where(known, x, target)
    for time in range(x.shape[1]):
        up = np.maximum(0.0, held[:, time] - (target + slack) + above)
        down = np.maximum(0.0, (target - slack) - held[:, time] + below)
        above, below = np.where(known[:, time], up, above), np.where(known[:, time], down, below)
        high[:, time], low[:, time] = above, below
    signal = np.where(high > limit, 1, np.where(low > limit, -1, 0))
    return Cusum(high, low, np.asarray(signal, dtype=np.int64))


@dataclass(frozen=True)
class Ewma:
    """Exponentially weighted mean, shape (series, times), with its limit on either side of 0."""

    mean: Floats
    limit: Floats
    signal: Ints


def ewma(values: ArrayLike, weight: float, width: float) -> Ewma:
    """Exponentially weighted moving average of standardised values.

    Formula: z(t) = weight x + (1 - weight) z(t - 1) from z = 0; limits of width sqrt(weight / (2 - weight)
    (1 - (1 - weight)^(2 t))), t the values so far. NaN leaves all as it was.
    Source: Roberts (1959); Lucas and Saccucci (1990).

    Args:
        values: standardised, shape (times,) or (series, times).
        weight: of the latest value, in (0, 1].
        width: limits in standard deviations of the average.
    """
    x = np.atleast_2d(np.asarray(values, dtype=np.float64))
    known = ~np.isnan(x)
    mean = np.zeros(x.shape)
    last = np.zeros(len(x))
    for time in range(x.shape[1]):
        held = np.where(known[:, time], x[:, time], 0.0)
        last = np.where(known[:, time], weight * held + (1 - weight) * last, last)
        mean[:, time] = last
    seen = np.cumsum(known, axis=1)
    limit = width * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * seen)))
    signal = np.where(mean > limit, 1, np.where(mean < -limit, -1, 0))
    return Ewma(mean, np.asarray(limit), np.asarray(signal, dtype=np.int64))


@dataclass(frozen=True)
class Charts:
    """Charts of daily means, each of shape (rows,), in the order of the input.

    Attributes:
        mean: of the day; ``base_mean`` and ``base_deviation`` what it is compared with.
        low, high: limits of the day's mean by the day's n (p-chart for shares).
        z: distance from the base, beyond what its own error explains, in standard errors of the day.
        cusum_high, cusum_low, ewma, ewma_limit: the other charts.
        shewhart_signal, cusum_signal, ewma_signal: 1 above, -1 below, 0 in control.
        is_new: the row begins a run of signals of this sign, by chart in the order of these three.
    """

    mean: Floats
    base_mean: Floats
    base_deviation: Floats
    low: Floats
    high: Floats
    z: Floats
    cusum_high: Floats
    cusum_low: Floats
    ewma: Floats
    ewma_limit: Floats
    shewhart_signal: Ints
    cusum_signal: Ints
    ewma_signal: Ints
    is_new: tuple[Bools, Bools, Bools]


@dataclass(frozen=True)
class Rules:
    """Constants of the charts.

    Attributes:
        slack, limit: k and h of the CUSUM.
        weight: of the latest day in the EWMA.
        width: limits of the Shewhart and EWMA charts in standard deviations.
        guard: standard errors of the base that a day is granted before it counts as different.
    """

    slack: float
    limit: float
    weight: float
    width: float
    guard: float


def _base_band(
    n: Floats, mean: Floats, deviation: Floats, is_share: Bools, guard: float
) -> tuple[Floats, Floats]:
    """Lower and upper end of where the base may lie, and the deviation there; each of shape (2, rows)."""
    squared = guard**2
    centre = (n * mean + squared / 2) / (n + squared)
    reach = guard * np.sqrt(n * np.maximum(mean * (1 - mean), 0.0) + squared / 4) / (n + squared)
    plain = guard * deviation / np.sqrt(n)
    sides = np.array([-1.0, 1.0])[:, None]
    ends = np.where(is_share, centre + sides * reach, mean + sides * plain)
    held = np.clip(ends, 0.0, 1.0)
    own = np.sqrt(held * (1 - held))
    # An end at 0 or 1 varies no more: there the deviation of the base stands in.
    return ends, np.where(is_share & (own > 0), own, deviation)


def daily_charts(
    series: ArrayLike,
    day: ArrayLike,
    n: ArrayLike,
    total: ArrayLike,
    base_n: ArrayLike,
    base_total: ArrayLike,
    base_squares: ArrayLike,
    rules: Rules,
) -> Charts:
    """Shewhart, CUSUM and EWMA charts of many series at once.

    The level in control is the base of the series: its mean, and its standard deviation over single
    answers; the mean of a day with n answers has that deviation by sqrt(n). For a 0/1 figure this is
    the p-chart. The base is an estimate too: a day is measured from the nearer end of the band of guard
    standard errors about it (of a share Wilson's, with the deviation at that end), else a busy product
    would alarm forever about the luck of its first weeks. With the true level inside that band, false
    alarms are at most those of a known base.
    Rows must be defined: n > 0, base_n > 0 and a base that varies.

    Args:
        series: number of the series of each row, integers from 0, shape (rows,).
        day: order within the series, distinct within it.
        n, total: answers of the day and the sum of the figure over them.
        base_n, base_total, base_squares: the same of the base, with the sum of squares.
        rules: constants.

    Raises:
        ValueError: a row has no answers, or a base that does not vary.
    """
    key = np.asarray(series, dtype=np.int64)
    count, sum_, base_count, base_sum, squares = map(
        floats, (n, total, base_n, base_total, base_squares)
    )
    base_mean = base_sum / np.where(base_count > 0, base_count, 1.0)
    variance = squares / np.where(base_count > 0, base_count, 1.0) - base_mean**2
    if ((count <= 0) | (base_count <= 0) | (variance <= 0)).any():
        raise ValueError("a row needs answers, and a base that varies")
    deviation = np.sqrt(variance)
    mean = sum_ / count
    is_share = (squares == base_sum) & (base_mean < 1)
    ends, spreads = _base_band(base_count, base_mean, deviation, is_share, rules.guard)
    errors = spreads / np.sqrt(count)
    z = np.where(
        mean > ends[1],
        (mean - ends[1]) / errors[1],
        np.where(mean < ends[0], (mean - ends[0]) / errors[0], 0.0),
    )
    order = np.lexsort((floats(day), key))
    sorted_key = key[order]
    first = np.r_[True, sorted_key[1:] != sorted_key[:-1]] if len(key) else np.zeros(0, bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
    place = np.empty(len(key), dtype=np.int64)
    place[order] = np.arange(len(key)) - start
    rows = np.empty(len(key), dtype=np.int64)
    rows[order] = np.cumsum(first) - 1
    width = int(place.max()) + 1 if len(key) else 1
    grid = np.full((int(rows.max()) + 1 if len(key) else 1, width), np.nan)
    grid[rows, place] = z
    sums = tabular_cusum(grid, 0.0, rules.slack, rules.limit)
    average = ewma(grid, rules.weight, rules.width)
    outside = np.where(grid > rules.width, 1, np.where(grid < -rules.width, -1, 0))
    here = (rows, place)

    def begins(signal: Ints) -> Bools:
        before = np.concatenate([np.zeros((len(signal), 1), dtype=np.int64), signal[:, :-1]], 1)
        return np.asarray(((signal != 0) & (signal != before))[here])

    signals = (np.asarray(outside, dtype=np.int64), sums.signal, average.signal)
    return Charts(
        mean, base_mean, deviation, ends[0] - rules.width * errors[0],
        ends[1] + rules.width * errors[1], z,
        sums.high[here], sums.low[here], average.mean[here], average.limit[here],
        signals[0][here], signals[1][here], signals[2][here],
        (begins(signals[0]), begins(signals[1]), begins(signals[2])),
    )  # fmt: skip
