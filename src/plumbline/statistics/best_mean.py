"""Which of k arms has the best mean, and how likely an effect is negligible: normal posteriors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Outcome,
    Reason,
    reasons_where,
    together,
)

# Beyond this many standard deviations a normal density is below 1e-17 of its top.
_REACH = 8.8
_NODES = 32
_ROWS = 256


@dataclass(frozen=True)
class BestMean:
    """As ``BestArm`` of the proportions, with reasons.

    Attributes:
        probability_of_best: shape (arms, *cells); sums to 1 over arms.
        expected_loss: E[best - own], shape (arms, *cells), in the units of the means, >= 0.
        expected_best: shape (*cells).
    """

    probability_of_best: Outcome
    expected_loss: Outcome
    expected_best: Outcome


def best_of_means(
    means: ArrayLike, standard_errors: ArrayLike, higher_is_better: ArrayLike
) -> BestMean:
    """Probability of being the best of k arms, and what choosing each arm would lose.

    Estimands: P(mu_i is the best), E[mu_best - mu_i], E[mu_best]. Model: mu_i ~ N(mean_i, se_i^2),
    flat prior, arms independent. Formulas: integral f_i prod_{j != i} F_j;
    integral F_i (1 - prod_{j != i} F_j) dx, by Gauss-Legendre on panels that end at the window ends and
    centres of all arms. Undefined (ZERO_VARIANCE) where an arm has no standard error.
    Source: as ``best_of_arms``.

    Args:
        means, standard_errors: posterior of each arm, shape (arms, *cells); error 0 is undefined.
        higher_is_better: one flag, or one per cell.
    """
    centre, error = together(means, standard_errors)
    shape, arms = centre.shape, centre.shape[0]
    if arms < 2:
        raise ValueError("at least two arms are compared")
    up = np.broadcast_to(np.asarray(higher_is_better, dtype=np.bool_), shape[1:])
    flat = (error <= 0).any(axis=0)
    reasons = reasons_where(shape[1:], (flat, Reason.ZERO_VARIANCE))
    sign = np.where(up, 1.0, -1.0)
    m = (sign * centre).reshape(arms, -1)
    s = np.where(flat, 1.0, error).reshape(arms, -1)
    # Distances from the highest mean keep their digits at any level.
    level = m.max(axis=0)
    probability, loss = np.empty_like(m), np.empty_like(m)
    gain = np.empty(m.shape[1])
    for start in range(0, m.shape[1], _ROWS):
        part = slice(start, start + _ROWS)
        probability[:, part], loss[:, part], gain[part] = _integrals(
            (m - level)[:, part], s[:, part]
        )
    everywhere = np.broadcast_to(reasons, shape)
    return BestMean(
        Outcome.of(probability.reshape(shape), everywhere),
        Outcome.of(loss.reshape(shape), everywhere),
        Outcome.of(sign * (level + gain).reshape(shape[1:]), reasons),
    )


def _integrals(m: Floats, s: Floats) -> tuple[Floats, Floats, Floats]:
    """P(best), loss and E[best] of normals of shape (arms, cells)."""
    nodes, weights = leggauss(_NODES)
    points = np.sort(np.concatenate([m - _REACH * s, m, m + _REACH * s]), axis=0)
    length = np.diff(points, axis=0)
    x = points[:-1, :, None] + length[:, :, None] * (nodes + 1) / 2
    step = length[:, :, None] * weights / 2
    z = (x - m[:, None, :, None]) / s[:, None, :, None]
    below = special.ndtr(z)
    density = np.exp(-z * z / 2) / (np.sqrt(2 * np.pi) * s[:, None, :, None])
    probability, loss = np.empty_like(m), np.empty_like(m)
    for arm in range(len(m)):
        others = np.prod(np.delete(below, arm, axis=0), axis=0)
        probability[arm] = (density[arm] * others * step).sum(axis=(0, 2))
        loss[arm] = (below[arm] * (1 - others) * step).sum(axis=(0, 2))
    best = points[-1] - (np.prod(below, axis=0) * step).sum(axis=(0, 2))
    return probability, np.maximum(loss, 0.0), best


def probability_of_negligible(
    log_ratio: Outcome, log_ratio_error: Outcome, margin: ArrayLike
) -> Outcome:
    """P(|T / C - 1| < margin) for means whose log ratio is near normal.

    Estimand: chance that the relative effect is negligible. Model: log ratio ~ N(effect, se^2), flat
    prior. Formula: Phi((ln(1 + m) - x) / se) - Phi((ln(1 - m) - x) / se). Undefined where the log
    ratio is. For proportions use ``probability_of_relative_effect_below``, which is exact.

    Args:
        log_ratio, log_ratio_error: as from ``compare_means``.
        margin: inside (0, 1).
    """
    (bound,) = together(margin)
    if ((bound <= 0) | (bound >= 1)).any():
        raise ValueError("the margin must lie inside (0, 1)")
    reasons = np.where(log_ratio.reasons != 0, log_ratio.reasons, log_ratio_error.reasons)
    flat = (reasons == 0) & (log_ratio_error.values <= 0)
    reasons = np.where(flat, np.int8(Reason.ZERO_VARIANCE), reasons).astype(np.int8)
    error = np.where(reasons == 0, log_ratio_error.values, 1.0)
    high = (np.log1p(bound) - log_ratio.values) / error
    low = (np.log1p(-bound) - log_ratio.values) / error
    return Outcome.of(special.ndtr(high) - special.ndtr(low), reasons)
