"""Intervals of forecasts from the errors that earlier forecasts made, and Gaussian ones where these are few.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; for series by rolling origins: Stankeviciute et
al. 2021): the error of a step ahead is divided by the standard deviation of that step; the
quantile of what earlier origins made of it scales the interval. Only errors known at the
origin count, so an interval of a back-test is what would have been told then. Everything is on the scale of
log1p, so errors are shares of the level and one series may grow tenfold between origins.

The standard deviation of a fit knows its noise, not that it may be the wrong model: after four weeks a growth
of weeks and a pause look alike. So the distance to other simple forecasts counts as variance
(``wider_spread``), and while conformal intervals cannot be made yet, the errors made so far correct it.
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


def wider_spread(
    spread: Floats, centre: Floats, others: Floats, known: NDArray[np.int64], estimated: int
) -> Floats:
    """Standard deviation of a forecast when noise, estimation and the choice of the model are uncertain.

    Law of total variance over models (Draper 1995): the variance within, corrected for what was estimated
    from the same days (least squares: n / (n - k)), and the mean squared distance to the other forecasts.

    Args:
        spread, centre: standard deviation of the model and forecast, shape (origins, steps).
        others: forecasts of other models, shape (models, origins, steps).
        known: days each fit looked at, shape (origins,).
        estimated: parameters and states of the model.
    """
    freedom = np.maximum(known - estimated, 1)
    between = ((others - centre) ** 2).mean(axis=0)
    return np.asarray(np.sqrt(spread**2 * (known / freedom)[:, None] + between))


def scores(actual: Floats, centre: Floats, spread: Floats) -> Floats:
    """Absolute errors in standard deviations; NaN where the day is still to come.

    Args:
        actual, centre, spread: shape (origins, steps), on the scale of the model.
    """
    return np.asarray(np.abs(actual - centre) / np.maximum(spread, SMALLEST))


def half_widths(
    errors: Floats, origins: NDArray[np.int64], level: float, minimum: int, block: int
) -> tuple[Floats, Bools]:
    """Half widths of central intervals, in standard deviations, and where they are Gaussian.

    Steps ahead are pooled by blocks (a week: one origin says little). With m earlier origins whose whole
    block is known, the quantile at level (m + 1) / m covers a new error with that chance where origins are
    exchangeable; beyond the largest error, or with fewer than ``minimum`` origins, the quantile of the
    normal distribution stands in, its variance corrected by the errors made so far (``_correction``).

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
    for row in range(count):
        correction = 1.0
        for first in range(0, steps, block):
            last = min(first + block, steps)
            m = int(np.searchsorted(origins, origins[row] - last, side="right"))
            reach = level * (m + 1) / max(m, 1)
            if m:
                correction = _correction(errors[:m, first:last], origins[:m], last)
            if m >= minimum and reach <= 1:
                width[row, first:last] = np.quantile(errors[:m, first:last], reach)
                gaussian[row, first:last] = False
            else:
                # Weeks that nobody has seen yet are corrected as the furthest one that was.
                width[row, first:last] *= correction
    return width, gaussian


def _correction(errors: Floats, origins: NDArray[np.int64], last: int) -> float:
    """What past errors make of the standard deviation that the model states.

    The mean of the stated variance, as if one forecast had shown it, and of the squared errors, as many
    forecasts as fit one after the other: days ahead overlap, and errors of neighbours are the same error.
    """
    seen = 1 + float(origins[-1] - origins[0]) / last
    return float(np.sqrt((1 + seen * (errors**2).mean()) / (1 + seen)))


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
