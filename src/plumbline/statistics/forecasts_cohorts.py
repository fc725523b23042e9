"""Structural forecasts: who joined, times the share of them that counts at each age.

The series of a day is the sum over cohorts of their size times a rate by age. Rates are pooled over the last
``window`` days before the origin: in that window they reproduce the series exactly in sum. Cohorts still to
come are those of a forecast of acquisition. Days are positions from 0; rows are days, columns ages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]

ACTIVE = ("daily_active_users", "weekly_active_users")
PAYING = ("paying_users", "mrr_usd")
STARTS = "new_payers"
# Last ages whose pooled rate an extrapolation starts from.
TAIL = 28
# A rate that is extrapolated falls at most like this power of age.
STEEPEST = -1.5


@dataclass(frozen=True)
class Cohorts:
    """Counts of each series by day and age, and their running totals over days, shape (days, ages).

    Attributes:
        joined: people who joined on each day, shape (days,).
        started: people who began to pay on each day, shape (days,).
        counts: running total over days of what counts at each age, by series.
        exposed: running total over days of the sizes of the cohorts of each age, joined and started.
    """

    joined: Floats
    started: Floats
    counts: Mapping[str, Floats]
    exposed: tuple[Floats, Floats]


@dataclass(frozen=True)
class Lever:
    """A factor that holds from a day ahead on, counted from 1; a factor of 1 changes nothing."""

    factor: float = 1.0
    start: int = 1


@dataclass(frozen=True)
class Levers:
    """What a scenario changes.

    Attributes:
        acquisition: people who join on a day.
        retention: share of a cohort that is active at any later age, at most 1; of payers, what is lost from
            the day on is divided by it.
        conversion: people who begin to pay on a day.
        price: what those who begin to pay from the day on pay.
    """

    acquisition: Lever = Lever()
    retention: Lever = Lever()
    conversion: Lever = Lever()
    price: Lever = Lever()


BASE = Levers()


def cohorts(
    metrics: ArrayLike, joined: ArrayLike, days: ArrayLike, steps: ArrayLike, size: int
) -> Cohorts:
    """Counts by day and age from changes by cohort.

    Args:
        metrics: series of each change.
        joined, days: positions of the cohort and of the change, whole numbers from 0 below ``size``.
        steps: change against the day before.
        size: days.
    """
    name = np.asarray(metrics, dtype=object)
    cohort, day = (np.asarray(column, dtype=np.int64) for column in (joined, days))
    step = np.asarray(steps, dtype=np.float64)
    by_age, first = {}, {}
    for metric in (*ACTIVE, *PAYING, STARTS):
        rows = name == metric
        changes = np.zeros((size, size))
        np.add.at(changes, (cohort[rows], day[rows]), step[rows])
        # Amounts are sums of decimals of six places: rounding keeps what ended at exactly nothing.
        held: Floats = np.asarray(np.round(np.cumsum(changes, axis=1), 6), dtype=np.float64)
        first[metric] = np.diagonal(held).copy()
        by_age[metric] = np.cumsum(_by_age(held), axis=0)
    sizes = first[ACTIVE[0]], first[PAYING[0]]
    exposed = tuple(np.cumsum(_by_age(np.repeat(each[:, None], size, 1)), axis=0) for each in sizes)
    return Cohorts(sizes[0], sizes[1], by_age, (exposed[0], exposed[1]))


def rates(known: Cohorts, metric: str, origin: int, window: int, ages: int) -> Floats:
    """Share of a cohort (of money: dollars a member) that counts at each age, shape (ages,).

    Pooled over the cohorts that had the age within the window: sum of what counted / sum of their sizes. Ages
    nobody has reached follow the decline of the last ones, as a power of age; gaps are interpolated.

    Args:
        known: counts.
        metric: series.
        origin: last day that may be looked at.
        window: days up to it.
        ages: how many ages are wanted.
    """
    start = max(origin - window, -1)
    count, exposed = (
        table[origin] - (table[start] if start >= 0 else 0.0)
        for table in (known.counts[metric], known.exposed[1 if metric in PAYING else 0])
    )
    here = exposed[: origin + 1] > 0
    found = np.zeros(ages)
    if not here.any():
        return found
    place = np.flatnonzero(here)
    last = int(place[-1])
    seen = np.interp(np.arange(last + 1), place, count[place] / exposed[place])
    if ages <= last + 1:
        return np.asarray(seen[:ages])
    found[: last + 1] = seen
    # A quarter of the ages at most: earlier ones say nothing of the end of a curve.
    first = last + 1 - min(TAIL, max((last + 1) // 4, 1))
    level = count[first : last + 1].sum() / exposed[first : last + 1].sum()
    reach = np.arange(last + 1, ages)
    middle = (first + last) / 2
    found[last + 1 :] = level * ((reach + 1) / (middle + 1)) ** _decline(count, exposed, last)
    return found


def structural(
    known: Cohorts,
    origin: int,
    acquisition: ArrayLike,
    window: int,
    past: int,
    levers: Levers = BASE,
) -> dict[str, Floats]:
    """Each series as cohorts times rates, from ``past - 1`` days before the origin to the end.

    Args:
        known: counts; what lies after the origin is not looked at.
        origin: last known day.
        acquisition: people expected to join on the days after it, shape (h,), 0 or more.
        window: days that rates are pooled over.
        past: days up to and with the origin that are computed too, for calibration.
        levers: of a scenario.

    Returns:
        Series by name, shape (past + h,), without a factor for the weekday.
    """
    expected = np.asarray(acquisition, dtype=np.float64)
    size = origin + 1 + len(expected)
    joining = np.concatenate([known.joined[: origin + 1], expected])
    joining[origin + levers.acquisition.start :] *= levers.acquisition.factor
    kept_from = origin + levers.retention.start
    result = {}
    for metric in ACTIVE:
        share = rates(known, metric, origin, window, size)
        kept = share.copy()
        kept[1:] = np.minimum(levers.retention.factor * share[1:], np.maximum(share[1:], 1.0))
        whole = np.convolve(joining, share)[:size]
        whole[kept_from:] = np.convolve(joining, kept)[kept_from:size]
        result[metric] = whole
    begun = np.convolve(joining, rates(known, STARTS, origin, window, size))[:size]
    begun[: origin + 1] = known.started[: origin + 1]
    begun[origin + levers.conversion.start :] *= levers.conversion.factor
    for metric in PAYING:
        share = rates(known, metric, origin, window, size)
        brought = begun.copy()
        if metric == PAYING[1]:
            brought[origin + levers.price.start :] *= levers.price.factor
        if levers.retention.factor == 1:
            result[metric] = np.convolve(brought, share)[:size]
        else:
            result[metric] = _kept(brought, share, kept_from, levers.retention.factor)
    return {name: series[origin + 1 - past :] for name, series in result.items()}


def calibrated(whole: Floats, observed: Floats, past: int, level_days: int, week: int) -> Floats:
    """log1p of a structural series, moved to the level and the weekdays of what was observed.

    The factor of a weekday is its mean deviation over the whole past, the level that of the last days.

    Args:
        whole: structural series, ``past`` known days first.
        observed: log1p of the known days, shape (past,).
        past, level_days: days that weekdays and level are taken from.
        week: length of the season.

    Returns:
        Shape of what follows the known days.
    """
    model = np.log1p(np.maximum(whole, 0.0))
    gap = observed - model[:past]
    weekday = np.arange(len(whole)) % week
    season = np.array([gap[weekday[:past] == day].mean() for day in range(week)]) - gap.mean()
    level = (gap - season[weekday[:past]])[-level_days:].mean()
    return np.asarray(model[past:] + level + season[weekday[past:]])


def _kept(brought: Floats, share: Floats, first: int, retention: float) -> Floats:
    """Cohorts times rates where what is lost from a day on is divided by the lever of retention."""
    day, start = np.indices((len(brought), len(brought)))
    now = share[np.maximum(day - start, 0)]
    before = share[np.maximum(first - 1 - start, 0)]
    lost = np.where(day >= first, np.maximum(before - now, 0.0), 0.0)
    kept = np.maximum(now + lost - lost / retention, 0.0) * (day >= start)
    return np.asarray(kept @ brought)


def _by_age(held: Floats) -> Floats:
    """Cells (cohort, day) as (day, age)."""
    size = len(held)
    day, age = np.arange(size)[:, None], np.arange(size)[None, :]
    cohort = day - age
    return np.where(cohort >= 0, held[np.maximum(cohort, 0), day], 0.0)


def _decline(count: Floats, exposed: Floats, last: int) -> float:
    """Power of age by which a rate falls at high ages: weighted line through weekly bins in logarithms."""
    edges = np.arange(7, last + 1, 7)
    if len(edges) < 3:
        return 0.0
    ends = np.append(edges[1:], last + 1)
    total = np.concatenate([[0.0], np.cumsum(count[: last + 1])])
    at_risk = np.concatenate([[0.0], np.cumsum(exposed[: last + 1])])
    number, size = total[ends] - total[edges], at_risk[ends] - at_risk[edges]
    good = (number > 0) & (size > 0)
    if good.sum() < 3:
        return 0.0
    x, y, weight = np.log((edges + ends) / 2)[good], np.log(number[good] / size[good]), number[good]
    centre = np.average(x, weights=weight)
    spread = np.average((x - centre) ** 2, weights=weight)
    slope = np.average((x - centre) * (y - np.average(y, weights=weight)), weights=weight) / spread
    return float(np.clip(slope, STEEPEST, 0.0))
