"""Differences of means of any kind: plain, ratio, covariate-adjusted or capped.

Each kind is first summarised per arm (``Summary``: estimate, its per-user variance, users); one function
then compares any two summaries. There is one p-value, from the absolute difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy import special

from plumbline.statistics.moments import Moments, user_reasons
from plumbline.statistics.outcomes import (
    ArrayLike,
    Codes,
    Floats,
    Interval,
    Ints,
    Outcome,
    Reason,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues, log_student_two_sided, student_quantile

# Both means must lie this many standard errors above 0 for the log ratio to be near normal.
LOG_RATIO_STANDARD_ERRORS = 5.0


class RelativeMethod(IntEnum):
    """How a relative interval was made."""

    UNDEFINED = 0
    LOG_RATIO = 1
    FIELLER = 2


@dataclass(frozen=True)
class Summary:
    """One arm: estimate, and variance per user such that its standard error is sqrt(variance / n).

    Attributes:
        n: users (or randomised clusters), shape (...).
        estimate: mean or ratio, shape (...); with ``rest`` it is more exact than a double.
        rest: small remainder to be added to ``estimate``.
        variance: per-user variance of the linearised estimate, shape (...).
        reasons: why the estimate is undefined, if it is.
    """

    n: Ints
    estimate: Floats
    rest: Floats
    variance: Floats
    reasons: Codes

    @property
    def squared_error(self) -> Floats:
        """Squared standard error of the estimate; 0 where it is undefined."""
        return np.asarray(self.variance / np.maximum(self.n, 1))


def summarise_mean(moments: Moments, variable: int = 0) -> Summary:
    """Summary of the mean of one variable.

    Estimand: mean per user. Model: independent users. Formula: m2 / (n - 1). Source: textbook.
    """
    return Summary(
        moments.n,
        moments.mean[..., variable],
        moments.rest[..., variable],
        np.asarray(moments.m2(variable) / np.maximum(moments.n - 1, 1)),
        user_reasons(moments.n, moments.n < 2),
    )


def summarise_counts(users: ArrayLike, successes: ArrayLike) -> Summary:
    """Summary of a share, with the unbiased variance p (1 - p) n / (n - 1), for Welch's test.

    Estimand: share of users. Model: independent users. Source: the mean of a 0/1 variable.
    """
    n, s = together(users, successes)
    share = s / np.maximum(n, 1)
    variance = share * (1 - share) * n / np.maximum(n - 1, 1)
    integers = n.astype(np.int64)
    return Summary(
        integers, share, np.zeros_like(share), variance, user_reasons(integers, integers < 2)
    )


@dataclass(frozen=True)
class MeanComparison:
    """Treatment against control, every array of the shape of the cells.

    Attributes:
        difference: treatment minus control.
        standard_error: of the difference.
        statistic, degrees: Welch's t and its degrees of freedom.
        p: two-sided p-value of equal means; the only p-value, also for the relative effect.
        interval: 1 - alpha interval of the difference.
        relative: treatment / control - 1, defined where ``relative_interval`` is.
        relative_interval: 1 - alpha interval of the relative effect.
        relative_method: ``RelativeMethod`` of each cell.
        log_ratio, log_ratio_error: log of the ratio of means and its standard error, defined where
            both means lie more than 5 standard errors above 0.
    """

    difference: Outcome
    standard_error: Outcome
    statistic: Outcome
    degrees: Outcome
    p: PValues
    interval: Interval
    relative: Outcome
    relative_interval: Interval
    relative_method: Codes
    log_ratio: Outcome
    log_ratio_error: Outcome


def compare_means(
    control: Summary, treatment: Summary, alpha: float, allow_log_ratio: bool
) -> MeanComparison:
    """Welch's test and intervals of the absolute and relative difference of two summaries.

    Estimand: difference and relative difference of means (or ratios). Model: independent arms,
    central limit theorem. Formulas: t = d / se with Satterthwaite's degrees of freedom; relative by
    exp(log ratio +- z sqrt(se_T^2 / T^2 + se_C^2 / C^2)) - 1 if both estimates are more than 5
    standard errors above 0 and ``allow_log_ratio``; else by Fieller, the roots r of
    (D - r C)^2 = z^2 Var(D - r C), if the control is positive and its g = z^2 se_C^2 / C^2 < 1; else
    undefined. Source: Welch (1947), Fieller (1954); the log ratio by the delta method.

    Args:
        control, treatment: summaries of one shape.
        alpha: two-sided error of both intervals, inside (0, 1).
        allow_log_ratio: True for means; False for ratios, which go to Fieller at once.
    """
    _check_level(alpha)
    bad = np.where(control.reasons != 0, control.reasons, treatment.reasons).astype(np.int8)
    difference = (treatment.estimate - control.estimate) + (treatment.rest - control.rest)
    error_c, error_t = control.squared_error, treatment.squared_error
    squared = error_c + error_t
    flat = np.where(bad != 0, bad, np.where(squared <= 0, Reason.ZERO_VARIANCE, 0)).astype(np.int8)
    ok = flat == Reason.DEFINED
    error = np.sqrt(np.where(ok, squared, 1.0))
    degrees = np.where(ok, squared, 1.0) ** 2 / np.where(
        ok,
        error_c**2 / np.maximum(control.n - 1, 1) + error_t**2 / np.maximum(treatment.n - 1, 1),
        1.0,
    )
    statistic = np.where(ok, difference / error, 0.0)
    half = student_quantile(1 - alpha / 2, degrees).reshape(degrees.shape) * error
    logs = log_student_two_sided(statistic, degrees).reshape(degrees.shape)
    relative = _relative(control, treatment, difference, flat, alpha, allow_log_ratio)
    return MeanComparison(
        Outcome.of(np.where(bad == 0, difference, 0.0), bad),
        Outcome.of(error, flat),
        Outcome.of(statistic, flat),
        Outcome.of(degrees, flat),
        PValues.of(logs, flat),
        Interval.of(difference - half, difference + half, flat),
        *relative,
    )


def _check_level(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie inside (0, 1)")


def _relative(
    control: Summary,
    treatment: Summary,
    difference: Floats,
    flat: Codes,
    alpha: float,
    allow_log_ratio: bool,
) -> tuple[Outcome, Interval, Codes, Outcome, Outcome]:
    z = float(special.ndtri(1 - alpha / 2))
    base, other = control.estimate, treatment.estimate
    error_c, error_t = control.squared_error, treatment.squared_error
    ok = flat == Reason.DEFINED
    far = LOG_RATIO_STANDARD_ERRORS
    positive = ok & (base > far * np.sqrt(error_c)) & (other > far * np.sqrt(error_t))
    positive &= (base > 0) & (other > 0)
    safe_base, safe_other = np.where(positive, base, 1.0), np.where(positive, other, 1.0)
    relative = difference / np.where(base > 0, base, 1.0)
    logs = np.log1p(np.where(positive, relative, 0.0))
    log_error = np.sqrt(np.where(positive, error_c / safe_base**2 + error_t / safe_other**2, 0.0))
    use_log = positive & allow_log_ratio
    bounded = ok & (base > 0) & (base * base > z * z * error_c)
    fieller = bounded & ~use_log
    low, high = fieller_roots(
        difference,
        np.where(bounded, base, 1.0),
        error_c + error_t,
        error_c,
        np.where(bounded, z, 0.0),
    )
    low = np.where(use_log, np.expm1(np.where(use_log, logs - z * log_error, 0.0)), low)
    high = np.where(use_log, np.expm1(np.where(use_log, logs + z * log_error, 0.0)), high)
    reasons = np.where(
        flat != 0,
        flat,
        reasons_where(flat.shape, (~(use_log | fieller), Reason.RELATIVE_UNDEFINED)),
    ).astype(np.int8)
    method = np.where(
        use_log, RelativeMethod.LOG_RATIO, np.where(fieller, RelativeMethod.FIELLER, 0)
    ).astype(np.int8)
    log_reasons = np.where(
        flat != 0, flat, reasons_where(flat.shape, (~positive, Reason.RELATIVE_UNDEFINED))
    ).astype(np.int8)
    return (
        Outcome.of(relative, reasons),
        Interval.of(low, high, reasons),
        method,
        Outcome.of(logs, log_reasons),
        Outcome.of(log_error, log_reasons),
    )


def fieller_roots(
    difference: Floats, base: Floats, variance: Floats, base_variance: Floats, z: Floats
) -> tuple[Floats, Floats]:
    """Both roots r of (D - r C)^2 = z^2 Var(D - r C), with D = T - C and Cov(D, C) = -Var(C).

    Formula: r^2 (C^2 - z^2 v_C) - 2 r (D C + z^2 v_C) + D^2 - z^2 v_D = 0, the quadratic in the
    relative effect itself, so that effects of 1e-11 keep their digits. Source: Fieller (1954).

    Args:
        difference, base: D and C.
        variance, base_variance: squared standard errors of D and of C.
        z: normal quantile; C^2 must exceed z^2 v_C.
    """
    second = base * base - z * z * base_variance
    first = difference * base + z * z * base_variance
    last = difference * difference - z * z * variance
    # first^2 - second * last, multiplied out: C^2 D^2 and z^4 terms cancel exactly on paper.
    root = z * np.sqrt(
        np.maximum(
            base * base * variance
            + base_variance * (2 * difference * base + difference * difference)
            - z * z * base_variance * (variance - base_variance),
            0.0,
        )
    )
    larger = np.where(first >= 0, first + root, first - root)
    one = larger / second
    other = np.where(larger != 0, last / np.where(larger != 0, larger, 1.0), 0.0)
    return np.minimum(one, other), np.maximum(one, other)


def delta_relative_error(control: Summary, treatment: Summary) -> Outcome:
    """Standard error of treatment / control - 1 by the delta method, where the control is not 0.

    Formula: sqrt(v_T / C^2 + v_C T^2 / C^4). For comparison with other engines, and where
    the control is clear of 0 as the weight of a day in a trend: as a normal interval it is what calls A/A
    tests of ten conversions "a loss" in 8 % of cases.
    """
    base = control.estimate
    reasons = reasons_where(
        base.shape,
        ((control.reasons != 0) | (treatment.reasons != 0), Reason.TOO_FEW_USERS),
        (base == 0, Reason.ZERO_DENOMINATOR),
    )
    safe = np.where(base == 0, 1.0, base)
    squared = treatment.squared_error / safe**2
    squared = squared + control.squared_error * (treatment.estimate / safe) ** 2 / safe**2
    return Outcome.of(np.sqrt(squared), reasons)


@dataclass(frozen=True)
class NormalPosterior:
    """Posterior of treatment minus control, every array of the shape of the cells.

    Attributes:
        mean, deviation: posterior moments of the difference.
        probability_of_better, probability_of_worse: P(difference > 0), P(difference < 0).
        loss_if_shipped, loss_if_kept: E[max(-difference, 0)], E[max(difference, 0)].
    """

    mean: Outcome
    deviation: Outcome
    probability_of_better: Outcome
    probability_of_worse: Outcome
    loss_if_shipped: Outcome
    loss_if_kept: Outcome

    def quantile(self, level: float) -> Outcome:
        """Posterior quantile of the difference."""
        value = self.mean.values + float(special.ndtri(level)) * self.deviation.values
        return Outcome.of(value, self.mean.reasons)


def normal_posterior(
    difference: Outcome, standard_error: Outcome, prior_mean: ArrayLike, prior_precision: ArrayLike
) -> NormalPosterior:
    """Normal posterior of a difference, with its probabilities and expected losses.

    Estimand: treatment minus control. Model: estimate ~ N(difference, se^2), prior
    N(prior_mean, 1 / prior_precision); precision 0 is the flat prior. Formulas: precisions add;
    loss = sd phi(m / sd) - m Phi(-m / sd). Source: conjugacy.

    Args:
        difference, standard_error: as from ``compare_means``.
        prior_mean, prior_precision: of the difference; precision >= 0.
    """
    centre, precision = (
        np.broadcast_to(np.asarray(value, dtype=np.float64), difference.values.shape)
        for value in (prior_mean, prior_precision)
    )
    if (precision < 0).any():
        raise ValueError("a prior precision cannot be negative")
    reasons = standard_error.reasons
    ok = reasons == Reason.DEFINED
    data = np.where(ok, 1 / np.where(ok, standard_error.values, 1.0) ** 2, 1.0)
    total = data + precision
    mean = (data * difference.values + precision * centre) / total
    deviation = 1 / np.sqrt(total)
    z = mean / deviation
    small = deviation * unit_loss(np.abs(z))
    large = small + np.abs(mean)
    up = z >= 0
    return NormalPosterior(
        Outcome.of(mean, reasons),
        Outcome.of(deviation, reasons),
        Outcome.of(special.ndtr(z), reasons),
        Outcome.of(special.ndtr(-z), reasons),
        Outcome.of(np.where(up, small, large), reasons),
        Outcome.of(np.where(up, large, small), reasons),
    )


def unit_loss(z: Floats) -> Floats:
    """Expected shortfall below 0 of N(z, 1), for z >= 0.

    Formula: phi(z) - z Phi(-z), by the scaled complementary error function so that nothing cancels.
    """
    scaled = 1 / np.sqrt(2 * np.pi) - z / 2 * special.erfcx(z / np.sqrt(2))
    return np.asarray(np.exp(-z * z / 2) * np.maximum(scaled, 0.0))
