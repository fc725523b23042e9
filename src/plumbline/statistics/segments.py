"""Effects by segment: how much they really differ, and each drawn towards the common effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Outcome,
    Reason,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues, log_chi_square_tail


@dataclass(frozen=True)
class ShrunkSegments:
    """Raw effects stand in the input; these arrays stand beside them.

    Attributes:
        shrunk, deviation, probability_of_positive: per segment, shape (segments,).
        tau_squared: variance of true effects between segments, per group, shape (groups,).
        mean, mean_error: common effect and its standard error, per group.
        heterogeneity, heterogeneity_p: Cochran's Q and its p-value, per group.
    """

    shrunk: Outcome
    deviation: Outcome
    probability_of_positive: Outcome
    tau_squared: Floats
    mean: Outcome
    mean_error: Outcome
    heterogeneity: Floats
    heterogeneity_p: PValues


def shrink_segments(
    effects: ArrayLike, standard_errors: ArrayLike, groups: ArrayLike, count: int
) -> ShrunkSegments:
    """Normal-Normal shrinkage of segment effects with Paule and Mandel's variance.

    Estimand: the effect of each segment. Model: estimate ~ N(effect, se^2), effect ~ N(mu, tau^2)
    within a group. Formulas: tau^2 >= 0 solves sum w (x - mu)^2 = k - 1 with w = 1 / (se^2 + tau^2)
    and mu the weighted mean (0 if the sum is less at 0); the posterior has precision
    1 / se^2 + 1 / tau^2. Segments with standard error 0 are undefined (ZERO_VARIANCE) and left out.
    Source: Paule and Mandel (1982); DerSimonian and Kacker (2007).

    Args:
        effects, standard_errors: per segment, shape (segments,).
        groups: group of each segment, integers in [0, count): an experiment, metric and dimension.
        count: number of groups.
    """
    x, error = together(effects, standard_errors)
    group = np.asarray(groups, dtype=np.int64)
    used = error > 0
    squared = np.where(used, error, 1.0) ** 2
    k = np.bincount(group[used], minlength=count)

    def moments(tau: Floats) -> tuple[Floats, Floats, Floats]:
        weight = np.where(used, 1 / (squared + tau[group]), 0.0)
        total = np.bincount(group, weight, count)
        mean = np.bincount(group, weight * x, count) / np.where(total > 0, total, 1.0)
        squares = np.bincount(group, weight * (x - mean[group]) ** 2, count)
        return mean, np.asarray(total, np.float64), np.asarray(squares, np.float64)

    zero = np.zeros(count)
    mean, total, statistic = moments(zero)
    heterogeneity, lower = statistic, zero
    spread = np.zeros(count)
    np.maximum.at(spread, group[used], np.abs(x - mean[group])[used])
    upper = np.maximum(spread**2 * np.maximum(k, 1) * 4, 1e-300)
    for _ in range(200):
        # Bisection on a logarithmic scale once a scale is known, so that tiny variances are found.
        middle = np.where(lower > 0, np.sqrt(lower) * np.sqrt(upper), upper / 1e3)
        above = moments(middle)[2] > k - 1
        lower, upper = np.where(above, middle, lower), np.where(above, upper, middle)
    needed = heterogeneity > k - 1
    tau = np.where(needed & (k > 1), (lower + upper) / 2, 0.0)
    mean, total, _ = moments(tau)
    empty = reasons_where((count,), (k < 1, Reason.NO_USERS))
    shrinkage = tau[group] / (tau[group] + squared)
    shrunk = mean[group] + shrinkage * (x - mean[group])
    deviation = np.sqrt(shrinkage * squared)
    flat = reasons_where(x.shape, (~used, Reason.ZERO_VARIANCE))
    # With tau^2 = 0 all segments share one effect: what is uncertain is that effect.
    common = np.sqrt(1 / np.where(total > 0, total, 1.0))[group]
    known = np.where(deviation > 0, deviation, common)
    few = reasons_where((count,), (k < 2, Reason.TOO_FEW_PERIODS))
    logs = log_chi_square_tail(heterogeneity, np.maximum(k - 1, 1))
    return ShrunkSegments(
        Outcome.of(shrunk, flat),
        Outcome.of(np.where(deviation > 0, deviation, common), flat),
        Outcome.of(special.ndtr(shrunk / known), flat),
        tau,
        Outcome.of(mean, empty),
        Outcome.of(np.sqrt(1 / np.where(total > 0, total, 1.0)), empty),
        heterogeneity,
        PValues.of(logs, few),
    )
