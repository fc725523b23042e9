"""Winsorising: the cap, and the moments of capped values beside the uncapped ones."""

from __future__ import annotations

import numpy as np

from plumbline.statistics.moments import Moments
from plumbline.statistics.outcomes import ArrayLike, Codes, Floats, Outcome, Reason, floats


def pooled_caps(values: ArrayLike, metrics: ArrayLike, count: int, level: float) -> Outcome:
    """Cap of each metric: the ``level`` quantile of its non-zero user values, all arms together.

    Estimand: quantile of the pooled distribution, so that the cap does not depend on the arm.
    Formula: linear interpolation between order statistics (numpy's default, type 7 of Hyndman and
    Fan, 1996). Undefined where a metric has no non-zero value.

    Args:
        values: one value per user and metric, shape (rows,).
        metrics: metric of each row, integers in [0, count).
        count: number of metrics.
        level: quantile, inside (0, 1).
    """
    amounts, owner = floats(values), np.asarray(metrics, dtype=np.int64)
    kept = amounts != 0
    amounts, owner = amounts[kept], owner[kept]
    order = np.lexsort((amounts, owner))
    amounts, n = amounts[order], np.bincount(owner, minlength=count)
    starts = np.cumsum(n) - n
    return _interpolated(amounts, starts, n, level)


def _interpolated(amounts: Floats, starts: np.ndarray, n: np.ndarray, level: float) -> Outcome:
    empty = n == 0
    if not len(amounts):
        return Outcome.of(np.zeros(len(n)), np.full(len(n), Reason.TOO_FEW_EVENTS, np.int8))
    place = level * np.maximum(n - 1, 0)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, np.maximum(n - 1, 0))
    last = len(amounts) - 1
    below = amounts[np.minimum(starts + lower, last)]
    above = amounts[np.minimum(starts + upper, last)]
    reasons: Codes = np.where(empty, Reason.TOO_FEW_EVENTS, Reason.DEFINED).astype(np.int8)
    return Outcome.of(below + (above - below) * (place - lower), reasons)


def capped_moments(
    values: ArrayLike, cells: ArrayLike, count: int, caps: ArrayLike
) -> tuple[Moments, Moments]:
    """Moments of the values as they are, and of min(value, cap of the cell).

    Estimand: mean of the values, and of the capped values, which is another quantity with less noise.
    Both are always returned: a capped effect is never shown without the uncapped one.
    Source: winsorising at a fixed bound; moments as ``Moments.of_values``.

    Args:
        values: shape (users,).
        cells: cell of each user, integers in [0, count).
        count: number of cells.
        caps: cap of each cell, shape (count,).
    """
    amounts, cell = floats(values), np.asarray(cells, dtype=np.int64)
    limit = floats(caps)[cell]
    return (
        Moments.of_values(amounts, cell, count),
        Moments.of_values(np.minimum(amounts, limit), cell, count),
    )
