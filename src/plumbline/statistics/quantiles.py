"""Quantiles from order statistics at exact ranks, with the user as unit of randomisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.means import Summary
from plumbline.statistics.moments import user_reasons
from plumbline.statistics.outcomes import ArrayLike, Codes, Floats, Ints, Reason, floats, together


@dataclass(frozen=True)
class Ranks:
    """1-based ranks to read from the sorted values of each cell, shape (...).

    Attributes:
        point: rank of the quantile.
        lower, upper: ranks of the ends of its 1 - alpha interval.
    """

    point: Ints
    lower: Ints
    upper: Ints
    reasons: Codes


def quantile_ranks(n: ArrayLike, level: float, alpha: float, design_effect: ArrayLike) -> Ranks:
    """Ranks whose order statistics estimate a quantile and bound it.

    Estimand: the ``level`` quantile of the values. Model: the number of values below it is
    Binomial(n, level), its variance inflated by ``design_effect`` when values of one user are
    alike. Formula: n level +- z sqrt(n level (1 - level) deff), lower end rounded down, upper end
    up, plus one. Undefined (TOO_FEW_USERS) where a bound would lie outside the sample.
    Source: Conover (1999), section 3.2; Liu, Sun, Varshney, Xu (2019) for clustered values.

    Args:
        n: values per cell.
        level: quantile, inside (0, 1).
        alpha: two-sided error of the interval.
        design_effect: variance of the clustered count over the binomial one; 1 for one value a user.
    """
    size, effect = together(n, design_effect)
    z = float(special.ndtri(1 - alpha / 2))
    half = z * np.sqrt(np.maximum(size * level * (1 - level) * effect, 0.0))
    point = np.clip(np.ceil(size * level), 1, np.maximum(size, 1))
    lower = np.floor(size * level - half)
    upper = np.ceil(size * level + half) + 1
    outside = (lower < 1) | (upper > size)
    counts = size.astype(np.int64)
    reasons = user_reasons(counts, outside)
    lower, upper = (np.where(outside, 0, rank).astype(np.int64) for rank in (lower, upper))
    return Ranks(point.astype(np.int64), lower, upper, reasons)


def clustered_design_effect(
    values: ArrayLike, users: ArrayLike, cells: ArrayLike, count: int, level: float
) -> Floats:
    """How much clustering of values within users inflates the variance of the count below a quantile.

    Formula: with I = 1 where a value is at most the cell's quantile, and residuals e_u = sum over a
    user's values of (I - level), deff = sum over users of e_u^2 / (n level (1 - level)), not below 1
    where a user has several values. Source: Deng, Knoblich, Lu (2018), section 4.3.

    Args:
        values, users, cells: one row per value; ``users`` and ``cells`` are non-negative integers.
        count: number of cells.
        level: quantile, inside (0, 1).

    Returns:
        Design effect per cell, shape (count,); 1 for cells without values.
    """
    amounts = floats(values)
    user, cell = np.asarray(users, dtype=np.int64), np.asarray(cells, dtype=np.int64)
    order = np.lexsort((amounts, cell))
    n = np.bincount(cell, minlength=count)
    starts = np.cumsum(n) - n
    rank = np.clip(np.ceil(n * level).astype(np.int64), 1, np.maximum(n, 1)) - 1
    cut = np.zeros(count)
    filled = n > 0
    cut[filled] = amounts[order][(starts + rank)[filled]]
    below = (amounts <= cut[cell]).astype(np.float64)
    # Ties at the quantile: measured around the share that is really below.
    share = np.bincount(cell, below, count) / np.maximum(n, 1)
    pairs, owner = np.unique(np.stack([cell, user]), axis=1, return_inverse=True)
    residual = np.bincount(owner.ravel(), below - share[cell], pairs.shape[1])
    squared = np.bincount(pairs[0], residual**2, count)
    expected = n * share * (1 - share)
    effect = np.where(expected > 0, squared / np.where(expected > 0, expected, 1.0), 1.0)
    several = n > np.bincount(pairs[0], minlength=count)
    return np.asarray(np.where(several, np.maximum(effect, 1.0), 1.0))


def summarise_quantile(
    n: ArrayLike,
    ranked: ArrayLike,
    point: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    alpha: float,
) -> Summary:
    """Summary of a quantile from three order statistics, ready for ``compare_means``.

    Estimand: the quantile. Formula: standard error = (upper - lower) / (2 z) sqrt(ranked / n), so the
    per-value variance is ``ranked`` times the square of the first factor. Compare with
    ``allow_log_ratio=True``.
    Source: Price and Bonett (2001) for the interval-based standard error.

    Args:
        n: values of the cell.
        ranked: sample size for which the two bounding ranks were spread; n for exact ranks, less
            where the ranks come from a fixed grid of quantiles.
        point, lower, upper: order statistics at the ranks of ``quantile_ranks``.
        alpha: the error the ranks were made with.
    """
    size, made_for, middle, low, high = together(n, ranked, point, lower, upper)
    if (high < low).any():
        raise ValueError("upper order statistics lie below lower ones")
    error = (high - low) / (2 * float(special.ndtri(1 - alpha / 2)))
    counts = size.astype(np.int64)
    reasons = user_reasons(counts, counts < 2)
    reasons = np.where((reasons == 0) & (error <= 0), np.int8(Reason.ZERO_VARIANCE), reasons)
    return Summary(
        counts, middle, np.zeros_like(middle), made_for * error**2, reasons.astype(np.int8)
    )
