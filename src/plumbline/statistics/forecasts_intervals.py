"""Intervals of forecasts from the errors that earlier forecasts made, and Gaussian ones where these are few.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; for series by rolling origins: Stankeviciute et
al. 2021): the error of a step ahead is divided by the model's own standard deviation of that step; the
quantile of what earlier origins made of it scales the interval. Only errors known at the
origin count, so an interval of a back-test is what would have been told then.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

# A model that was always right has no spread to divide by.
SMALLEST = 1e-6


def scores(actual: Floats, centre: Floats, spread: Floats) -> Floats:
    """Absolute errors in standard deviations of the model; NaN where the day is still to come.

    Args:
        actual, centre, spread: shape (origins, steps), on the model's scale.
    """
    return np.asarray(np.abs(actual - centre) / np.maximum(spread, SMALLEST))


def half_widths(
    errors: Floats, origins: NDArray[np.int64], level: float, minimum: int, block: int
) -> tuple[Floats, Bools]:
    """Half widths of central intervals, in standard deviations of the model, and where they are Gaussian.

    Steps ahead are pooled by blocks (a week: one origin says little). With m earlier origins whose whole
    block is known, the quantile at level (m + 1) / m covers a new error with that chance where origins are
    exchangeable; beyond the largest error, or with fewer than ``minimum`` origins, nothing is known and
    the normal quantile stands in.

    Args:
        errors: from :func:`scores`, shape (origins, steps).
        origins: days of the origins, ascending.
        level: coverage, between 0 and 1.
        minimum: origins needed.
        block: steps that are pooled.

    Returns:
        Two arrays of shape (origins, steps).
    """
    count, steps = errors.shape
    width = np.full((count, steps), float(norm.ppf((1 + level) / 2)))
    gaussian = np.ones((count, steps), dtype=np.bool_)
    for first in range(0, steps, block):
        last = min(first + block, steps)
        for row in range(count):
            m = int(np.searchsorted(origins, origins[row] - last, side="right"))
            reach = level * (m + 1) / max(m, 1)
            if m >= minimum and reach <= 1:
                width[row, first:last] = np.quantile(errors[:m, first:last], reach)
                gaussian[row, first:last] = False
    return width, gaussian


def interval_widths(
    errors: Floats,
    origins: NDArray[np.int64],
    levels: tuple[float, float],
    minimum: int,
    block: int,
) -> tuple[Floats, Floats, Bools, Bools]:
    """Half widths of a narrow and a wide interval; the wide one never lies within the narrow one.

    Where origins are enough for the narrow but not for the wide interval, the wide one is the narrow one
    stretched as the normal distribution would; it counts as Gaussian.

    Args:
        levels: coverage of the narrow and of the wide interval.
        errors, origins, minimum, block: as of :func:`half_widths`.
    """
    narrow, narrow_gaussian = half_widths(errors, origins, levels[0], minimum, block)
    wide, wide_gaussian = half_widths(errors, origins, levels[1], minimum, block)
    stretch = norm.ppf((1 + levels[1]) / 2) / norm.ppf((1 + levels[0]) / 2)
    wide = np.where(wide_gaussian & ~narrow_gaussian, narrow * stretch, wide)
    return narrow, np.maximum(wide, narrow), narrow_gaussian, wide_gaussian
