"""Mean rating of answers: raw, as if everyone rated, and drawn towards its kind; the person is the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Interval,
    Outcome,
    Reason,
    reasons_where,
    together,
)
from plumbline.statistics.segments import shrink_segments


@dataclass(frozen=True)
class RatioSums:
    """Sums over the raters of a cell of numerator y and denominator x, each of shape (cells,)."""

    raters: Floats
    y: Floats
    x: Floats
    yy: Floats
    xx: Floats
    yx: Floats

    @staticmethod
    def of(*sums: ArrayLike) -> RatioSums:
        """From raters, y, x and their sums of products, in this order."""
        return RatioSums(*together(*sums))


# Below this part of its terms a sum of squares is what rounding left of zero.
_ROUNDING = 1e-12


def _residual(sums: RatioSums) -> tuple[Floats, Floats]:
    """Ratio y / x, and the sum over raters of (y - ratio x)^2."""
    ratio = np.divide(sums.y, sums.x, out=np.zeros(sums.x.shape), where=sums.x > 0)
    squares = sums.yy - 2 * ratio * sums.yx + ratio**2 * sums.xx
    real = squares > _ROUNDING * (sums.yy + ratio**2 * sums.xx)
    return ratio, np.where(real, squares, 0.0)


def cluster_mean(sums: RatioSums, alpha: float, minimum: int) -> tuple[Outcome, Interval]:
    """Mean over ratings with an interval whose unit is the rater.

    Estimand: sum y / sum x over ratings. Formula: squared error g / (g - 1) sum (y_g - r x_g)^2 / (sum
    x)^2 over g raters (linearised ratio), so ten ratings of one person are not ten opinions.
    Source: Cochran (1977), 2.11 and 9A.

    Args:
        sums: sums over raters.
        alpha: two-sided error of the interval.
        minimum: fewest raters that give an interval.
    """
    ratio, squares = _residual(sums)
    g = sums.raters
    squared = g / np.maximum(g - 1, 1.0) * squares / np.where(sums.x > 0, sums.x, 1.0) ** 2
    empty = reasons_where(g.shape, (sums.x <= 0, Reason.NO_USERS))
    codes = reasons_where(
        g.shape,
        (sums.x <= 0, Reason.NO_USERS),
        (g < minimum, Reason.TOO_FEW_USERS),
        (squared <= 0, Reason.ZERO_VARIANCE),
    )
    half = float(special.ndtri(1 - alpha / 2)) * np.sqrt(squared)
    return Outcome.of(ratio, empty), Interval.of(ratio - half, ratio + half, codes)


@dataclass(frozen=True)
class Satisfaction:
    """Satisfaction of cells, shape (cells,): raw, reweighted and shrunk with their intervals."""

    raw: Outcome
    raw_interval: Interval
    reweighted: Outcome
    reweighted_interval: Interval
    shrunk: Outcome
    shrunk_interval: Interval


def satisfaction(
    family: Sequence[str],
    plain: RatioSums,
    weighted: RatioSums,
    *,
    alpha: float,
    minimum: int,
) -> Satisfaction:
    """Raw, reweighted and shrunk satisfaction.

    *Reweighted*: each rating counts 1 / P(rated | feature, role), so that who rates often does not speak
    for the others (Horvitz-Thompson in Hajek's ratio form). *Shrunk*: empirical Bayes over the cells of a
    family (Paule and Mandel's variance), with error phi / ratings where phi, the residual variance over
    raters per rating, is pooled over the family: a cell with two ratings cannot know its own.

    Args:
        family: cells that are drawn together, such as the bots of one day, shape (cells,).
        plain: sums of scores and of ratings.
        weighted: sums of weighted scores and of weights.
        alpha: two-sided error of intervals.
        minimum: fewest raters that give an interval.
    """
    raw, raw_interval = cluster_mean(plain, alpha, minimum)
    reweighted, reweighted_interval = cluster_mean(weighted, alpha, minimum)
    names, group = np.unique(np.asarray(family, dtype=object).astype(str), return_inverse=True)
    group = np.asarray(group, dtype=np.int64).reshape(-1)
    ratio, squares = _residual(plain)
    # Squares about a cell's own ratio miss what one rater's share of it takes away.
    freedom = np.where(plain.raters > 1, plain.x * (1 - 1 / np.maximum(plain.raters, 1.0)), 0.0)
    pooled = np.bincount(group, squares, len(names))
    expected = np.bincount(group, freedom, len(names))
    phi = np.divide(pooled, expected, out=np.zeros(len(names)), where=expected > 0)
    error = np.where(plain.x > 0, np.sqrt(phi[group] / np.where(plain.x > 0, plain.x, 1.0)), 0.0)
    drawn = shrink_segments(ratio, error, group, len(names))
    codes = np.where(raw.reasons != 0, raw.reasons, drawn.shrunk.reasons)
    half = float(special.ndtri(1 - alpha / 2)) * drawn.deviation.values
    value = drawn.shrunk.values
    return Satisfaction(
        raw,
        raw_interval,
        reweighted,
        reweighted_interval,
        Outcome.of(value, codes),
        Interval.of(value - half, value + half, codes),
    )
