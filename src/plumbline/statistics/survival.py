"""Kaplan-Meier curves of many groups at once.

Kaplan and Meier (1958): the chance to survive a time is the product, over the times up to it, of the
share of those at risk who did not end then. Who leaves observation at a time was at risk at that time.
Variance: Greenwood (1926). Interval: normal on the scale log(-log S), which stays within 0 and 1
(Kalbfleisch and Prentice 1980). Restricted mean: the area under the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """One value a row of the input, in its order; NaN where a value does not exist.

    Args:
        survival: chance not to have ended by the time, 0 to 1.
        standard_error: Greenwood's; NaN once nobody survives.
        low: lower bound of the interval; NaN before the first end and once nobody survives.
        high: upper bound of the interval; NaN where ``low`` is.
        restricted_mean: expected time until the end or this time, whichever is earlier, in units of time.
    """

    survival: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    restricted_mean: Floats


def kaplan_meier(
    groups: ArrayLike,
    times: ArrayLike,
    at_risk: ArrayLike,
    ended: ArrayLike,
    confidence: float = 0.95,
) -> Curves:
    """Survival curves from counts; rows may come in any order.

    Args:
        groups: group of each row, anything that can be compared.
        times: time of each row, 0 or more, once a group.
        at_risk: who had not ended and was still observed just before the time, 1 or more.
        ended: whose end was seen at the time, 0 to ``at_risk``.
        confidence: coverage of the interval, between 0 and 1.

    Raises:
        ValueError: lengths differ, a number is missing, a count or time is out of its range, a group
            has a time twice, or more are at risk than the time before left.
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    columns = [np.asarray(values, dtype=np.float64) for values in (times, at_risk, ended)]
    if any(column.shape != codes.shape or column.ndim != 1 for column in columns):
        raise ValueError("groups, times, at_risk and ended must be columns of one length")
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("times and counts must be finite numbers")
    if not codes.size:
        return Curves(*(np.empty(0) for _ in range(5)))
    order = np.lexsort((columns[0], codes))
    codes = codes[order]
    # One line a group, in the order of time: places beyond a group's last time change nothing.
    place = np.arange(codes.size) - np.searchsorted(codes, codes)
    shape = (int(codes[-1]) + 1, int(place.max()) + 1)
    time, risk, ends = (
        _lines(column[order], codes, place, shape, fill)
        for column, fill in zip(columns, (np.inf, 1.0, 0.0), strict=True)
    )
    held = np.isfinite(time)
    _check(time, risk, ends, held)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1.0 - ends / risk, axis=1)
        spread = np.sqrt(np.cumsum(ends / (risk * (risk - ends)), axis=1))
        scale = NormalDist().inv_cdf((1 + confidence) / 2) * spread / -np.log(survival)
        inside = (survival > 0) & (survival < 1)
        low = np.where(inside, survival ** np.exp(scale), np.nan)
        high = np.where(inside, survival ** np.exp(-scale), np.nan)
        error = np.where(survival > 0, survival * spread, np.nan)
    # The curve is 1 from time 0 to the first time, then flat between times.
    before = np.concatenate([np.ones((shape[0], 1)), survival[:, :-1]], axis=1)
    steps = np.diff(np.where(held, time, 0.0), axis=1, prepend=0.0)
    area = np.cumsum(np.where(held, before * steps, 0.0), axis=1)
    back = np.argsort(order)
    return Curves(*(lines[codes, place][back] for lines in (survival, error, low, high, area)))


def _lines(
    values: Floats, codes: NDArray[np.intp], place: NDArray[np.intp], shape: tuple[int, int],
    fill: float,
) -> Floats:  # fmt: skip
    lines = np.full(shape, fill)
    lines[codes, place] = values
    return lines


def _check(time: Floats, risk: Floats, ends: Floats, held: NDArray[np.bool_]) -> None:
    if (time < 0).any():
        raise ValueError("times must be 0 or more")
    if (risk < 1).any() or (ends < 0).any() or (ends > risk).any():
        raise ValueError("at_risk must be 1 or more, and ended between 0 and at_risk")
    followed = held[:, 1:]
    with np.errstate(invalid="ignore"):
        if (np.diff(time, axis=1)[followed] <= 0).any():
            raise ValueError("a group has a time twice")
    if (risk[:, 1:] > risk[:, :-1] - ends[:, :-1])[followed].any():
        raise ValueError("more are at risk than the time before left")
