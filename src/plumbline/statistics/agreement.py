"""Agreement of raters: alpha over all of them, kappa of two, and how strict each of them is.

Everything is computed from counts of pairs of ratings of the same answer, so that SQL adds them up and
Python never meets an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Interval,
    Outcome,
    Reason,
    floats,
    reasons_where,
)

Level = Literal["nominal", "ordinal", "interval", "ratio"]


def coincidences(ratings: ArrayLike, values: ArrayLike) -> Floats:
    """Coincidence matrix of a table of ratings, shape (values, values).

    Formula: every ordered pair of ratings of one unit counts 1 / (m - 1), with m the ratings of the unit;
    units with one rating are left out. Source: Krippendorff (2011), step 2.

    Args:
        ratings: shape (raters, units), NaN where a rater saw nothing.
        values: the categories in their order, shape (values,).
    """
    table, known = np.asarray(ratings, dtype=np.float64), floats(values)
    counts = (table[:, :, None] == known).sum(axis=0).astype(np.float64)
    m = counts.sum(axis=1)
    weight = np.where(m > 1, 1 / np.maximum(m - 1, 1), 0.0)
    pairs = np.einsum("ui,uj,u->ij", counts, counts, weight)
    return np.asarray(pairs - np.diag((counts * weight[:, None]).sum(axis=0)))


def _distances(values: Floats, totals: Floats, level: Level) -> Floats:
    """Squared differences of categories, shape (..., values, values)."""
    v = values.shape[-1]
    if level == "nominal":
        return np.asarray(np.broadcast_to(1.0 - np.eye(v), (*totals.shape, v)))
    if level == "ordinal":
        # Ratings between two categories, both ends half: what lies between them in ranks.
        reach = np.cumsum(totals, axis=-1) - totals / 2
        return np.asarray((reach[..., :, None] - reach[..., None, :]) ** 2)
    gap = values[:, None] - values[None, :]
    if level == "ratio":
        total = values[:, None] + values[None, :]
        gap = np.divide(gap, total, out=np.zeros_like(gap), where=total != 0)
    return np.asarray(np.broadcast_to(gap**2, (*totals.shape, v)))


def krippendorff_alpha(matrix: ArrayLike, values: ArrayLike, level: Level) -> Outcome:
    """Krippendorff's alpha from coincidence matrices.

    Estimand: 1 - observed / expected disagreement of ratings of the same unit. Formula: D_o =
    sum o_ck d_ck / n and D_e = sum n_c n_k d_ck / (n (n - 1)), n_c the margins and n their sum; the
    ordinal d_ck is the square of the ratings from c to k with half of both ends. Undefined without two
    ratings of a unit, and where all ratings are one category (nothing to agree about).
    Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".

    Args:
        matrix: coincidences, shape (..., values, values), symmetric.
        values: the categories in their order, shape (values,).
        level: level of measurement.
    """
    pairs, known = floats(matrix), floats(values)
    totals = pairs.sum(axis=-1)
    n = totals.sum(axis=-1)
    distance = _distances(known, totals, level)
    observed = (pairs * distance).sum(axis=(-1, -2)) / np.maximum(n, 1.0)
    chance = totals[..., :, None] * totals[..., None, :] * distance
    expected = chance.sum(axis=(-1, -2)) / np.maximum(n * (n - 1), 1.0)
    codes = reasons_where(
        n.shape, (n < 2, Reason.TOO_FEW_USERS), (expected <= 0, Reason.ZERO_VARIANCE)
    )
    return Outcome.of(1 - observed / np.where(expected > 0, expected, 1.0), codes)


@dataclass(frozen=True)
class Kappa:
    """Agreement of two raters, shape (*cells).

    Attributes:
        agreement: share of units on which they say the same.
        kappa: agreement beyond chance.
        interval: its large-sample interval.
    """

    agreement: Outcome
    kappa: Outcome
    interval: Interval


def cohen_kappa(tables: ArrayLike, alpha: float, weighted: bool = False) -> Kappa:
    """Cohen's kappa of confusion tables, plain or with quadratic weights.

    Estimand: (p_o - p_e) / (1 - p_e) with p_o the (weighted) share of agreement and p_e what the margins
    give by chance; weights 1 - (i - j)^2 / (c - 1)^2. Squared error
    (sum p_ij (w_ij - (w_i. + w_.j)(1 - kappa))^2 - (kappa - p_e (1 - kappa))^2) / (n (1 - p_e)^2).
    Undefined without units, and where both raters know one category only.
    Source: Cohen (1960, 1968); Fleiss, Cohen, Everitt (1969) for the error.

    Args:
        tables: counts, shape (..., c, c), one rater by row, the other by column.
        alpha: two-sided error of the interval.
        weighted: quadratic weights for ordered categories.
    """
    counts = floats(tables)
    c = counts.shape[-1]
    n = counts.sum(axis=(-1, -2))
    share = counts / np.maximum(n, 1.0)[..., None, None]
    place = np.arange(c)
    gap = (place[:, None] - place[None, :]) / max(c - 1, 1)
    weight = 1 - gap**2 if weighted else np.eye(c)
    row, column = share.sum(axis=-1), share.sum(axis=-2)
    agreed = (share * weight).sum(axis=(-1, -2))
    chance = np.einsum("...i,...j,ij->...", row, column, weight)
    empty = reasons_where(n.shape, (n < 1, Reason.NO_USERS))
    # Rounding of the margins must not turn one single category into a fraction over nothing.
    codes = reasons_where(
        n.shape, (n < 1, Reason.NO_USERS), (1 - chance <= 1e-12, Reason.ZERO_VARIANCE)
    )
    rest = np.where(codes == 0, 1 - chance, 1.0)
    kappa = (agreed - chance) / rest
    by_row = np.einsum("...j,ij->...i", column, weight)
    by_column = np.einsum("...i,ij->...j", row, weight)
    inner = weight - (by_row[..., :, None] + by_column[..., None, :]) * (1 - kappa)[..., None, None]
    squared = (share * inner**2).sum(axis=(-1, -2)) - (kappa - chance * (1 - kappa)) ** 2
    error = np.sqrt(np.maximum(squared, 0.0) / np.maximum(n, 1.0)) / rest
    half = float(special.ndtri(1 - alpha / 2)) * error
    flat = np.where(codes == 0, np.where(error > 0, 0, Reason.ZERO_VARIANCE), codes)
    return Kappa(
        Outcome.of((counts * np.eye(c)).sum(axis=(-1, -2)) / np.maximum(n, 1.0), empty),
        Outcome.of(kappa, codes),
        Interval.of(kappa - half, kappa + half, flat),
    )


@dataclass(frozen=True)
class RaterEffects:
    """How much higher or lower each rater scores the same answer, shape (raters,).

    Attributes:
        effect: against the mean of the reference raters.
        standard_error: of the effect.
        interval: of the effect, normal.
    """

    effect: Outcome
    standard_error: Outcome
    interval: Interval


def rater_effects(
    pair_weights: ArrayLike,
    pair_differences: ArrayLike,
    pair_squares: ArrayLike,
    freedom: float,
    is_reference: ArrayLike,
    alpha: float,
) -> RaterEffects:
    """Additive effects of raters, those of answers taken out.

    Estimand: b_k - mean of b over reference raters in score = answer + b_k + noise, by least squares.
    With the effects of m_i-fold rated answers eliminated the normal equations are the weighted Laplacian
    of the pairs: sum_l W_kl (b_k - b_l) = D_kl summed over l, with W_kl = sum over answers that both rated
    of 1 / m_i and D_kl = the same sum of (score_k - score_l) / m_i. The noise has the variance of the
    residual pairs: sum over pairs of (d - (b_k - b_l))^2 / m_i, by ``freedom``. Raters with no chain of
    common answers to a reference rater are undefined (NO_OVERLAP).
    Source: Scheffe (1959), chapter 4 (incomplete blocks).

    Args:
        pair_weights: W, shape (raters, raters), symmetric with zeros on the diagonal.
        pair_differences: D, antisymmetric.
        pair_squares: sums over common answers of (score_k - score_l)^2 / m_i, symmetric.
        freedom: ratings - answers - raters + 1.
        is_reference: raters whose mean effect is 0, shape (raters,).
        alpha: two-sided error of the interval.
    """
    weights, differences = floats(pair_weights), floats(pair_differences)
    squares, reference = floats(pair_squares), np.asarray(is_reference, dtype=bool)
    size = len(weights)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian, hermitian=True) if size else laplacian
    effect = inverse @ differences.sum(axis=1) if size else np.zeros(0)
    linked = np.eye(size, dtype=bool) | (weights > 0)
    for _ in range(max(size - 1, 1).bit_length()):
        linked = (linked.astype(np.int64) @ linked.astype(np.int64)) > 0
    usable = linked[:, reference].any(axis=1) if size else np.zeros(0, dtype=bool)
    together = reference & usable
    share = linked * together[None, :]
    centre = share / np.maximum(share.sum(axis=1, keepdims=True), 1)
    contrast = np.eye(size) - centre
    shifted = contrast @ effect
    gap = effect[:, None] - effect[None, :]
    residual = (squares - 2 * gap * differences + gap**2 * weights).sum() / 2
    variance = max(float(residual), 0.0) / freedom if freedom > 0 else 0.0
    covariance = contrast @ inverse @ contrast.T * variance
    codes = reasons_where(
        (size,),
        (~usable, Reason.NO_OVERLAP),
        (weights.sum(axis=1) <= 0, Reason.NO_OVERLAP),
    )
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    flat = np.where(
        codes != 0,
        codes,
        np.where(freedom <= 0, Reason.TOO_FEW_USERS, np.where(error > 0, 0, Reason.ZERO_VARIANCE)),
    )
    half = float(special.ndtri(1 - alpha / 2)) * error
    return RaterEffects(
        Outcome.of(shifted, codes),
        Outcome.of(error, flat),
        Interval.of(shifted - half, shifted + half, flat),
    )
