"""Many tests at once: Holm, Benjamini-Hochberg, and its version for e-values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plumbline.statistics.outcomes import ArrayLike, Bools, Floats, Ints, floats


def _ranked(values: Floats, families: ArrayLike) -> tuple[Ints, Ints, Ints, Ints]:
    """Order by family and value, and per sorted place: family, rank from 1, size of the family."""
    family = np.asarray(families, dtype=np.int64)
    if family.shape != values.shape or values.ndim != 1:
        raise ValueError("values and families must be one-dimensional and of one length")
    order = np.lexsort((values, family))
    codes, sizes = np.unique(family, return_counts=True)
    starts = np.cumsum(sizes) - sizes
    place = np.searchsorted(codes, family[order])
    rank = np.arange(len(values)) - starts[place] + 1
    return order, place, rank, sizes[place]


def _running(
    values: Floats, place: Ints, join: Callable[[Floats, Floats], Floats], backwards: bool
) -> Floats:
    """Running maximum or minimum within families (sorted, contiguous), by doubling."""
    result, group = (values[::-1], place[::-1]) if backwards else (values, place)
    result, step = result.copy(), 1
    while step < len(result):
        same = group[step:] == group[:-step]
        result[step:] = np.where(same, join(result[step:], result[:-step]), result[step:])
        step *= 2
    return result[::-1] if backwards else result


def _checked(p: ArrayLike) -> Floats:
    values = floats(p)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("p-values lie between 0 and 1")
    return values


def holm(p: ArrayLike, families: ArrayLike) -> Floats:
    """Adjusted p-values that hold the chance of any false rejection within each family.

    Formula: running maximum of (m - rank + 1) p over increasing p, at most 1. Source: Holm (1979).

    Args:
        p: p-values, shape (tests,).
        families: integer family of each test.
    """
    values = _checked(p)
    order, place, rank, size = _ranked(values, families)
    adjusted = _running(values[order] * (size - rank + 1), place, np.maximum, backwards=False)
    result = np.empty_like(values)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def benjamini_hochberg(p: ArrayLike, families: ArrayLike) -> Floats:
    """Adjusted p-values that hold the false discovery rate within each family at planned ends.

    Formula: running minimum of m p / rank from the largest p down, at most 1.
    Source: Benjamini and Hochberg (1995).
    """
    values = _checked(p)
    order, place, rank, size = _ranked(values, families)
    adjusted = _running(values[order] * size / rank, place, np.minimum, backwards=True)
    result = np.empty_like(values)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def e_benjamini_hochberg(log_e: ArrayLike, families: ArrayLike, alpha: float) -> Bools:
    """Discoveries of which at most ``alpha`` are false, whatever the dependence and at any time.

    Formula: the k largest e-values, k the largest number with e_(k) >= m / (alpha k).
    Source: Wang and Ramdas (2022).

    Args:
        log_e: natural logs of e-values, shape (tests,).
        families: integer family of each test.
        alpha: false discovery rate.
    """
    values = floats(log_e)
    order, place, rank, size = _ranked(-values, families)
    passes = -(-values)[order] >= np.log(size) - np.log(alpha) - np.log(rank)
    reached = _running(np.where(passes, 1.0, 0.0), place, np.maximum, backwards=True)
    result = np.zeros(values.shape, dtype=np.bool_)
    result[order] = reached > 0
    return result
