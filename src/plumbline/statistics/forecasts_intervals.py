"""Intervals of forecasts from the errors that earlier forecasts made, and Gaussian ones where these are few.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; for series by rolling origins: Stankeviciute et
al. 2021): the error of a step ahead is divided by the standard deviation of that step; the
quantile of what earlier origins made of it scales the interval. Only errors known at the
origin count, so an interval of a back-test is what would have been told then. Everything is on the scale of
log1p, so errors are shares of the level and one series may grow tenfold between origins. The level asked for
follows what intervals held (adaptive conformal inference), as errors of a growing product are no fair sample.

The standard deviation of a fit knows its noise, not that it may be the wrong model: after four weeks a growth
of weeks and a pause look alike. So the distance to other simple forecasts counts as variance
(``wider_spread``), and while conformal intervals cannot be made yet, the errors made so far correct it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

# A model that was always right has no spread to divide by.
SMALLEST = 1e-6
# How fast the level that is asked for follows what was held: a few dozen origins are all there is.
RATE = 0.05


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

    Returns:
        Shape (origins, steps), never 0: errors are divided by it.
    """
    freedom = np.maximum(known - estimated, 1)
    between = ((others - centre) ** 2).mean(axis=0)
    variance = spread**2 * (known / freedom)[:, None] + between
    return np.asarray(np.maximum(np.sqrt(variance), SMALLEST))


def scores(actual: Floats, centre: Floats, spread: Floats) -> Floats:
    """Absolute errors in standard deviations; NaN where the day is still to come.

    Args:
        actual, centre, spread: shape (origins, steps), on the scale of the model; the spread above 0.
    """
    return np.asarray(np.abs(actual - centre) / spread)


def interval_widths(
    errors: Floats,
    origins: NDArray[np.int64],
    ceilings: Floats,
    levels: tuple[float, float],
    minimum: int,
    block: int,
) -> tuple[Floats, Bools]:
    """Half widths of a narrow and a wide central interval, in standard deviations; where they are Gaussian.

    Steps ahead are pooled by blocks (a week: one origin says little). With m earlier origins whose whole
    block is known, the quantile at level (m + 1) / m covers a new error with that chance where origins are
    exchangeable; where that lies beyond the largest error, or with fewer than ``minimum`` origins, the
    quantile of the normal distribution stands in, its variance corrected by the errors made so far
    (``_correction``). Where origins are enough for the narrow but not for the wide interval, the wide one is
    the narrow one stretched as the normal distribution would; it counts as Gaussian. It never lies within
    the narrow one.

    Origins of a growing product are not exchangeable, so the level that is asked for is steered by what
    earlier intervals held (Gibbs and Candes 2021): as long as that level stays within its bounds
    (:func:`steered`), the share that misses tends to the one promised, whatever the errors do. A level that
    is steered beyond the largest error gets the largest error.

    Args:
        errors: from :func:`scores`, shape (origins, steps).
        origins: days of the origins, ascending.
        ceilings: half widths that no interval passes, shape (2, origins, steps), narrow before wide.
        levels: coverage of the narrow and of the wide interval, between 0 and 1.
        minimum: origins needed.
        block: steps that are pooled.

    Returns:
        Two arrays of shape (2, origins, steps), narrow before wide.
    """
    count, steps = errors.shape
    width = np.empty((2, count, steps))
    gaussian = np.ones((2, count, steps), dtype=np.bool_)
    promised = np.array(levels)
    # Weeks that nobody has seen yet are corrected as the furthest one that was.
    correction = np.ones(count)
    for first in range(0, steps, block):
        part = slice(first, min(first + block, steps))
        asked, judged = promised, 0
        for row in range(count):
            known = int(np.searchsorted(origins, origins[row] - part.stop, side="right"))
            seen = errors[:known, part]
            if known:
                correction[row] = _correction(seen, origins[:known], part.stop)
            for past in range(judged, known):
                missed = (seen[past] > width[:, past, part]).mean(axis=1)
                asked = steered(asked, promised, missed)
            judged = known
            halves, gaussian[:, row, part] = _pair(seen, asked, promised, correction[row], minimum)
            width[:, row, part] = np.minimum(halves, ceilings[:, row, part])
    return width, gaussian


def _pair(
    seen: Floats,
    asked: Floats,
    levels: Floats,
    correction: float,
    minimum: int,
) -> tuple[Floats, Bools]:
    """Half widths of one origin and block, narrow before wide, shape (2, 1), and where they are Gaussian."""
    known = len(seen)
    halves = correction * special.ndtri((1 + asked) / 2)
    more = (known + 1) / max(known, 1)
    gaussian = (levels * more > 1) | (known < minimum)
    if not gaussian.all():
        errors = np.quantile(seen, np.minimum(asked * more, 1.0))
        halves = np.where(gaussian, halves, errors)
    if gaussian[1] and not gaussian[0]:
        narrow, wide = special.ndtri((1 + levels) / 2)
        halves[1] = halves[0] * (wide / narrow)
    halves[1] = halves.max()
    return halves[:, None], gaussian[:, None]


def steered(asked: Floats, level: Floats, missed: Floats) -> Floats:
    """Levels to ask for after one more interval: Gibbs and Candes (2021), adaptive conformal inference.

    What may miss moves by ``RATE`` (promised minus missed), from a tenth to three times of what is promised.

    Args:
        asked: levels asked for so far.
        level: levels that are promised, of the same shape.
        missed: share of the days of each interval that lay outside.
    """
    share = 1 - asked + RATE * (1 - level - missed)
    return np.asarray(1 - np.clip(share, (1 - level) / 10, 3 * (1 - level)))


def _correction(errors: Floats, origins: NDArray[np.int64], last: int) -> float:
    """What past errors make of the standard deviation that the model states.

    The mean of the stated variance, as if one forecast had shown it, and of the squared errors, as many
    forecasts as fit one after the other: days ahead overlap, and errors of neighbours are the same error.
    """
    seen = 1 + float(origins[-1] - origins[0]) / last
    return float(np.sqrt((1 + seen * (errors**2).mean()) / (1 + seen)))
