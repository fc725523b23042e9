"""Beyond one test: effects on triggered users, by days since exposure, and of two experiments at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.means import Summary
from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Interval,
    Outcome,
    Reason,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues, log_normal_two_sided


@dataclass(frozen=True)
class DilutedEffect:
    """Effect on all users of an experiment, from its triggered users; shape of the cells.

    Attributes:
        trigger_rate: triggered users per exposed user, both arms.
        difference, standard_error: absolute effect per exposed user.
        relative: the difference over the mean of all control users.
    """

    trigger_rate: Outcome
    difference: Outcome
    standard_error: Outcome
    relative: Outcome


def diluted_effect(
    difference: Outcome,
    standard_error: Outcome,
    triggered_users: ArrayLike,
    exposed_users: ArrayLike,
    control_mean: ArrayLike,
) -> DilutedEffect:
    """Dilute the effect on triggered users to all exposed users.

    Estimand: mean effect over all exposed users, when the others cannot be affected. Model: the
    trigger is the same event in both arms (test its sample ratio too). Formulas: rate d;
    variance rate^2 se^2 + d^2 rate (1 - rate) / n. Source: Deng and Hu (2015), "Diluted treatment
    effect estimation for trigger analysis".

    Args:
        difference, standard_error: on triggered users, as from ``compare_means``.
        triggered_users, exposed_users: of both arms together.
        control_mean: mean of all control users, triggered or not.
    """
    triggered, exposed, base = together(triggered_users, exposed_users, control_mean)
    if (triggered > exposed).any():
        raise ValueError("more users were triggered than exposed")
    rate = triggered / np.maximum(exposed, 1)
    empty = reasons_where(
        rate.shape, (exposed < 1, Reason.NO_USERS), (triggered < 1, Reason.NO_TRIGGERED_USERS)
    )
    codes = np.where(empty != 0, empty, standard_error.reasons).astype(np.int8)
    value = rate * difference.values
    squared = rate**2 * standard_error.values**2
    squared = squared + difference.values**2 * rate * (1 - rate) / np.maximum(exposed, 1)
    flat = np.where((codes == 0) & (base <= 0), np.int8(Reason.RELATIVE_UNDEFINED), codes)
    return DilutedEffect(
        Outcome.of(rate, reasons_where(rate.shape, (exposed < 1, Reason.NO_USERS))),
        Outcome.of(value, codes),
        Outcome.of(np.sqrt(squared), codes),
        Outcome.of(value / np.where(base > 0, base, 1.0), flat),
    )


@dataclass(frozen=True)
class Trend:
    """Weighted line through effects by days since exposure, shape (*cells).

    Attributes:
        slope, slope_error, p: change of the effect per day, and the test of no change.
        first, last: fitted effect on the first and the last day given.
        fades: whether the effect significantly moves towards 0 or past it (novelty).
    """

    slope: Outcome
    slope_error: Outcome
    p: PValues
    first: Outcome
    last: Outcome
    fades: Outcome


def novelty_trend(
    days: ArrayLike, effects: ArrayLike, standard_errors: ArrayLike, alpha: float
) -> Trend:
    """Does the effect change with days since exposure?

    Estimand: slope of the effect in days. Model: effects of days are independent given the line,
    which holds for metrics of one day each up to the correlation within users. Formula: weighted
    least squares with weights 1 / se^2; z = slope / error. Days with error 0 are left out;
    undefined with fewer than three days. Source: weighted regression, textbook.

    Args:
        days: days since exposure, shape (days,).
        effects, standard_errors: shape (days, *cells).
        alpha: two-sided error of ``fades``, whose value is 1 or 0.
    """
    x, error = together(effects, standard_errors)
    day = np.asarray(days, dtype=np.float64).reshape(-1, *([1] * (x.ndim - 1)))
    used = error > 0
    weight = np.where(used, 1 / np.where(used, error, 1.0) ** 2, 0.0)
    total = np.maximum(weight.sum(axis=0), 1e-300)
    centre = (weight * day).sum(axis=0) / total
    mean = (weight * x).sum(axis=0) / total
    spread = (weight * (day - centre) ** 2).sum(axis=0)
    few = (used.sum(axis=0) < 3) | (spread <= 0)
    reasons = reasons_where(few.shape, (few, Reason.TOO_FEW_PERIODS))
    safe = np.where(few, 1.0, spread)
    slope = (weight * (day - centre) * (x - mean)).sum(axis=0) / safe
    slope_error = 1 / np.sqrt(safe)
    first, last = (mean + slope * (edge - centre) for edge in (day.min(), day.max()))
    p = PValues.of(log_normal_two_sided(slope / slope_error), reasons)
    fades = (p.value.values < alpha) & (slope * first < 0)
    return Trend(
        Outcome.of(slope, reasons),
        Outcome.of(slope_error, reasons),
        p,
        Outcome.of(first, reasons),
        Outcome.of(last, reasons),
        Outcome.of(fades.astype(np.float64), reasons),
    )


@dataclass(frozen=True)
class Interaction:
    """How much the effect of one experiment depends on the arm of another; shape of the cells.

    Attributes:
        effect_without, effect_with: effect of the first experiment among control and treatment users
            of the second.
        difference, standard_error, p, interval: of the second minus the first of these.
    """

    effect_without: Outcome
    effect_with: Outcome
    difference: Outcome
    standard_error: Outcome
    p: PValues
    interval: Interval


def pairwise_interaction(
    neither: Summary, first_only: Summary, second_only: Summary, both: Summary, alpha: float
) -> Interaction:
    """Interaction of two overlapping experiments on users who are in both.

    Estimand: (both - second_only) - (first_only - neither), 0 if effects add. Model: four
    independent groups of users. Formula: the sum of four squared standard errors; z test.
    Source: two-way analysis of variance; Kohavi, Tang, Xu (2020), chapter 22.
    """
    groups = (neither, first_only, second_only, both)
    reasons = np.zeros(neither.reasons.shape, np.int8)
    for group in groups:
        reasons = np.where(reasons != 0, reasons, group.reasons).astype(np.int8)

    def gap(high: Summary, low: Summary) -> Floats:
        return (high.estimate - low.estimate) + (high.rest - low.rest)

    without, together_ = gap(first_only, neither), gap(both, second_only)
    difference = together_ - without
    squared = np.zeros(difference.shape)
    for group in groups:
        squared = squared + group.squared_error
    flat = np.where((reasons == 0) & (squared <= 0), np.int8(Reason.ZERO_VARIANCE), reasons)
    error = np.sqrt(np.where(flat == 0, squared, 1.0))
    half = float(special.ndtri(1 - alpha / 2)) * error
    return Interaction(
        Outcome.of(without, reasons),
        Outcome.of(together_, reasons),
        Outcome.of(difference, reasons),
        Outcome.of(error, flat),
        PValues.of(log_normal_two_sided(difference / error), flat),
        Interval.of(difference - half, difference + half, flat),
    )
