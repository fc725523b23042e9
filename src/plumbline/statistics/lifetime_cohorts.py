"""Lifetime value of everybody who joins, payer or not: retention times revenue per active day.

What a new member brings within H days is the sum over ages of the chance to be active at the age times the
revenue per active day. Ages that most people have lived through are taken as they were (there the product
is revenue per member). Beyond them a curve goes on, at the revenue per active day of the latest ages.

The curve is the mean of the BG/BB model (Fader, Hardie and Shang 2010, *Customer-Base Analysis in a
Discrete-Time Noncontractual Setting*): somebody who has not left is active on a day with chance p, and
leaves between two days with a chance of his own, Beta over people. As in ``lifetime_contractual`` it is
written in the mean chance mu to leave and in theta, how far the chances differ:
r(a) = p times the product over t = 1 .. a of 1 - mu / (1 + (t - 1) theta). It is fitted to all ages from 1
by binomial likelihood and then raised or lowered to the retention of the latest ages seen, so that a
misfit of the first days does not shift what follows.

The days of a person depend on each other, and people who join together resemble each other; errors are
therefore taken from weeks of joining as they are: every cohort week has its influence on the result
(the infinitesimal jackknife: Jaeckel 1972, Efron 1982), and the variance is that of their sum. No
assumption about the spread of payments is made, no random number is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import t as student

from plumbline.statistics.lifetime import (
    Floats,
    Missing,
    Optimum,
    Unfitted,
    columns_of,
    maximise_or_simplify,
)

# Coordinates: -logit(p), logit(mu), log(theta). At its lower bound each gives a simpler model: active
# every day, nobody leaves, all alike.
BOUNDS = ((-12.0, 12.0), (-14.0, 12.0), (-12.0, 9.0))
STARTS = ((0.5, -3.0, -3.0), (1.5, -1.0, 0.0), (-1.0, -4.0, -8.0), (2.5, -2.0, -1.0))
SIMPLER = ((2,), (0,), (0, 2), (1, 2))


@dataclass(frozen=True)
class CohortDays:
    """What cohorts did at each age; one line a cohort week, one column an age in days from 0.

    Attributes:
        people: members who had lived through the age, shape (weeks, ages).
        active: those of them who were active on that day.
        revenue: what they brought on that day.
    """

    people: Floats
    active: Floats
    revenue: Floats


@dataclass(frozen=True)
class CohortValue:
    """Retention and revenue of a group of people, as far as their data determine it.

    Attributes:
        cohorts: what was fitted.
        observed_days: ages 0 to observed_days - 1 are taken as they were.
        latest: columns of the latest ages seen, where level and revenue per active day come from.
        optimum: the fit; None without one.
        reason: why nothing can be said; None where something can.
        curve_reason: why nothing can be said of ages beyond observed_days.
    """

    cohorts: CohortDays
    observed_days: int
    latest: slice
    optimum: Optimum | None
    reason: Missing | None
    curve_reason: Missing | None

    @property
    def daily_activity(self) -> float:
        """p of the curve: chance of somebody who has not left to be active on a day; NaN without a fit."""
        return float(expit(-self.optimum.place[0])) if self.optimum else float("nan")

    @property
    def daily_leaving(self) -> float:
        """mu of the curve: mean chance of a new member to leave between two days."""
        return float(expit(self.optimum.place[1])) if self.optimum else float("nan")

    @property
    def leaving_spread(self) -> float:
        """theta of the curve: 0 when everybody leaves alike."""
        if not self.optimum:
            return float("nan")
        return 0.0 if self.optimum.at_edge[2] else float(np.exp(self.optimum.place[2]))


@dataclass(frozen=True)
class ValueEstimate:
    """A predicted amount with its interval; NaN with a reason where there is none.

    Attributes:
        value: expected amount.
        low, high: interval, on the scale of logarithms.
        observed: part of the value that ages seen by most people make up.
        active_days: expected active days beyond these ages.
        revenue_per_active_day: what each of those brings.
        reason: why there is no value.
    """

    value: float
    low: float
    high: float
    observed: float
    active_days: float
    revenue_per_active_day: float
    reason: Missing | None


def cohort_days(
    weeks: ArrayLike, ages: ArrayLike, people: ArrayLike, active: ArrayLike, revenue: ArrayLike
) -> CohortDays:
    """Lines of cohort weeks from one row a week and age; rows may come in any order.

    Args:
        weeks: cohort week of each row, a number.
        ages: age in days, a whole number from 0.
        people, active, revenue: as of :class:`CohortDays`.

    Raises:
        ValueError: lengths differ, a number is missing, a week has an age twice, an age is no whole number
            from 0, or more were active than were there.
    """
    week, age, size, busy, money = columns_of(weeks, ages, people, active, revenue)
    if ((age < 0) | (age != np.floor(age))).any():
        raise ValueError("ages must be whole numbers from 0")
    if ((busy < 0) | (busy > size)).any():
        raise ValueError("active must lie between 0 and people")
    names, line = np.unique(week, return_inverse=True)
    column = age.astype(np.int64)
    if len(np.unique(np.stack([line, column]), axis=1).T) != len(line):
        raise ValueError("a cohort week has an age twice")
    tables = np.zeros((3, len(names), int(column.max(initial=-1)) + 1))
    tables[:, line, column] = size, busy, money
    return CohortDays(*tables)


def fit_cohort_value(
    cohorts: CohortDays, minimum_people: int, observed_share: float, latest_days: int
) -> CohortValue:
    """Retention curve and revenue per active day of a group of people.

    Args:
        cohorts: what is known of them.
        minimum_people: with fewer people at age 0 nothing is fitted.
        observed_share: ages that at least this share of the people has lived through are taken as they were.
        latest_days: how many of the latest of these ages say what goes on; the first day is none of them.
    """
    size = cohorts.people.sum(axis=0)
    everybody = float(size[0]) if len(size) else 0.0
    seen = int((size >= max(observed_share * everybody, 1.0)).sum())
    latest = slice(seen - latest_days, seen)
    reason, curve_reason = _reasons(cohorts, seen, latest, everybody < minimum_people)
    if curve_reason is not None:
        return CohortValue(cohorts, seen, latest, None, reason, curve_reason)
    there, back = size[1:], cohorts.active.sum(axis=0)[1:]

    def likelihood(place: Floats) -> tuple[float, Floats]:
        log_rate, slopes = _log_retention(place, len(there))
        rate = np.exp(log_rate)
        height = back @ log_rate + (there - back) @ np.log1p(-rate)
        return float(height), slopes @ ((back - there * rate) / (1 - rate))

    try:
        optimum = maximise_or_simplify(likelihood, STARTS, BOUNDS, float(there.sum()), SIMPLER)
    except Unfitted as unfitted:
        return CohortValue(cohorts, seen, latest, None, None, unfitted.reason)
    return CohortValue(cohorts, seen, latest, optimum, None, None)


def retention_curve(model: CohortValue, days: int) -> Floats:
    """Chance to be active by age: as it was for ages seen by most people, the raised or lowered curve beyond.

    Args:
        model: group of people.
        days: ages 0 to days - 1.

    Returns:
        Array of shape (days,); NaN beyond the ages seen where there is no curve.
    """
    size, active = model.cohorts.people.sum(axis=0), model.cohorts.active.sum(axis=0)
    rates = np.full(days, np.nan)
    seen = min(model.observed_days, days)
    rates[:seen] = active[:seen] / size[:seen]
    if model.optimum is not None and days > seen:
        curve = np.exp(_log_retention(model.optimum.place, max(days, len(size)) - 1)[0])
        curve = np.concatenate([[1.0], curve])
        level = active[model.latest].sum() / (size[model.latest] @ curve[: len(size)][model.latest])
        rates[seen:] = level * curve[seen:days]
    return rates


def predict_value(
    model: CohortValue, weights: ArrayLike, level: float, within_days: int | None = None
) -> ValueEstimate:
    """What people bring who live through given ages.

    Args:
        model: group of people.
        weights: how many live through each age, shape (ages,); ones for the value of one new member.
        level: coverage of the interval.
        within_days: None for an interval of the expectation; for an interval of what is going to be paid,
            the days over which the weights spread, which scale how far payments scatter.

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError("level must lie between 0 and 1")
    weight = np.asarray(weights, dtype=np.float64)
    cohorts, seen, latest = model.cohorts, model.observed_days, model.latest
    nan = float("nan")
    beyond = bool(weight[seen:].any())
    reason = model.reason or (model.curve_reason if beyond else None)
    if reason is not None:
        return ValueEstimate(nan, nan, nan, nan, nan, nan, reason)
    size, early = cohorts.people.sum(axis=0), weight[:seen]
    head = size[: len(early)]
    mean = cohorts.revenue.sum(axis=0)[: len(early)] / head
    observed = float(early @ mean)
    drift = cohorts.revenue[:, : len(early)] - cohorts.people[:, : len(early)] * mean
    influence = drift @ (early / head)
    days, each, value = 0.0, nan, observed
    if model.curve_reason is None:
        each = float(cohorts.revenue[:, latest].sum() / cohorts.active[:, latest].sum())
    if beyond:
        tail, moved = _tail(model, weight)
        days = tail / each
        value, influence = observed + tail, influence + moved
    weeks = int((cohorts.people[:, latest].sum(axis=1) > 0).sum())
    variance = float(influence @ influence) * weeks / (weeks - 1)
    if within_days is not None:
        variance += _scatter(model, within_days) * max(value, 0.0)
    if value <= 0:
        return ValueEstimate(value, nan, nan, observed, days, each, None)
    reach = float(student.ppf((1 + level) / 2, weeks - 1)) * np.sqrt(variance) / value
    low, high = float(value * np.exp(-reach)), float(value * np.exp(reach))
    return ValueEstimate(value, low, high, observed, days, each, None)


def predict_values(
    model: CohortValue, horizons: Sequence[int], level: float
) -> list[ValueEstimate]:
    """Value of a new member within each of several numbers of days."""
    return [predict_value(model, np.ones(days), level) for days in horizons]


def _reasons(
    cohorts: CohortDays, seen: int, latest: slice, are_few: bool
) -> tuple[Missing | None, Missing | None]:
    """Why nothing can be said at all, and why nothing of ages beyond those seen."""
    reason, curve_reason = None, None
    if are_few:
        reason = Missing.TOO_FEW_CUSTOMERS
    elif latest.start < 1 or (cohorts.people[:, latest].sum(axis=1) > 0).sum() < 2:
        reason = Missing.TOO_FEW_PERIODS
    elif cohorts.revenue[:, :seen].sum() <= 0:
        reason = Missing.NO_REVENUE
    elif cohorts.active[:, latest].sum() == 0:
        curve_reason = Missing.NO_RETURNS
    elif cohorts.revenue[:, latest].sum() <= 0:
        curve_reason = Missing.NO_REVENUE
    return reason, reason or curve_reason


def _tail(model: CohortValue, weight: Floats) -> tuple[float, Floats]:
    """Amount beyond the ages seen, and the influence of each cohort week on it."""
    if model.optimum is None:
        raise ValueError("the model has no curve")
    cohorts, seen, latest = model.cohorts, model.observed_days, model.latest
    ages = cohorts.people.shape[1]
    log_rate, log_slopes = _log_retention(model.optimum.place, max(len(weight), ages) - 1)
    rate = np.concatenate([[1.0], np.exp(log_rate)])
    slopes = np.concatenate([np.zeros((3, 1)), log_slopes * np.exp(log_rate)], axis=1)
    beyond = weight[seen:] @ rate[seen : len(weight)]
    there = cohorts.people.sum(axis=0)[latest]
    expected = float(there @ rate[latest])
    each = float(cohorts.revenue[:, latest].sum()) / expected
    paid = cohorts.revenue[:, latest].sum(axis=1) - each * cohorts.people[:, latest] @ rate[latest]
    missed = cohorts.active[:, 1:] - cohorts.people[:, 1:] * rate[1:ages]
    score = missed @ (log_slopes[:, : ages - 1] / (1 - rate[1:ages])).T
    steep = slopes[:, seen : len(weight)] @ weight[seen:]
    steep = each * (steep - beyond / expected * (slopes[:, latest] @ there))
    return each * float(beyond), beyond / expected * paid + score @ model.optimum.covariance @ steep


def _scatter(model: CohortValue, days: int) -> float:
    """Variance of what a cohort week pays in a stretch of days, per unit of its mean.

    From the weeks' own stretches of that length; payments come in lumps of any size and pattern.
    """
    cohorts, rate = model.cohorts, np.zeros(model.cohorts.people.shape[1])
    size = cohorts.people.sum(axis=0)
    seen = min(model.observed_days, len(rate))
    rate[:seen] = cohorts.revenue.sum(axis=0)[:seen] / size[:seen]
    mean = cohorts.people[:, :seen] * rate[:seen]
    starts = np.arange(0, seen, days)
    missed = np.add.reduceat(cohorts.revenue[:, :seen] - mean, starts, axis=1)
    # The means are fitted: a week's own payments stand in them with its share of the people.
    share = cohorts.people[:, :seen] / size[:seen]
    freedom = np.add.reduceat(mean * (1 - share), starts, axis=1)
    total = float(freedom.sum())
    return float((missed**2).sum()) / total if total > 0 else 0.0


def _log_retention(place: Floats, days: int) -> tuple[Floats, Floats]:
    """Logarithm of the curve at ages 1 to days and its slopes by the coordinates, shape (3, days)."""
    p, mean, theta = expit(-place[0]), expit(place[1]), np.exp(place[2])
    step = np.arange(days, dtype=np.float64)
    wide = 1 + step * theta
    log_rate = np.log(p) + np.cumsum(np.log1p(-mean / wide))
    slopes = np.stack([
        np.full(days, -(1 - p)),
        np.cumsum(-mean * (1 - mean) / (wide - mean)),
        np.cumsum(mean * step * theta / (wide * (wide - mean))),
    ])  # fmt: skip
    return log_rate, slopes
