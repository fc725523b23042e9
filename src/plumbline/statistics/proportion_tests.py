"""Proportions, frequentist: the pooled z test and Newcombe's interval of the difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Codes,
    Floats,
    Interval,
    Outcome,
    Reason,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues, log_normal_two_sided


@dataclass(frozen=True)
class ZTest:
    """Two-proportion test, every array of the shape of the cells."""

    difference: Outcome
    z: Outcome
    p: PValues


def _counts(*values: ArrayLike) -> tuple[list[Floats], Codes]:
    n_c, s_c, n_t, s_t = arrays = together(*values)
    if ((s_c < 0) | (s_c > n_c) | (s_t < 0) | (s_t > n_t)).any():
        raise ValueError("successes must lie between 0 and users")
    return arrays, reasons_where(n_c.shape, ((n_c < 1) | (n_t < 1), Reason.NO_USERS))


def two_proportion_z(
    control_users: ArrayLike,
    control_successes: ArrayLike,
    treatment_users: ArrayLike,
    treatment_successes: ArrayLike,
) -> ZTest:
    """Test of equal shares.

    Estimand: p_T - p_C. Model: two binomials. Formula: z = d / sqrt(p (1 - p) (1 / n_C + 1 / n_T))
    with the pooled share p. Undefined (ZERO_VARIANCE) where nobody or everybody succeeded.
    Source: textbook; statsmodels ``proportions_ztest``.
    """
    (n_c, s_c, n_t, s_t), empty = _counts(
        control_users, control_successes, treatment_users, treatment_successes
    )
    safe_c, safe_t = np.maximum(n_c, 1), np.maximum(n_t, 1)
    difference = (s_t * n_c - s_c * n_t) / (safe_c * safe_t)
    pooled = (s_c + s_t) / (safe_c + safe_t)
    squared = pooled * (1 - pooled) * (1 / safe_c + 1 / safe_t)
    flat = np.where((empty == 0) & (squared <= 0), np.int8(Reason.ZERO_VARIANCE), empty)
    z = difference / np.sqrt(np.where(flat == 0, squared, 1.0))
    return ZTest(
        Outcome.of(difference, empty),
        Outcome.of(z, flat),
        PValues.of(log_normal_two_sided(z), flat),
    )


def wilson_interval(users: ArrayLike, successes: ArrayLike, alpha: float) -> Interval:
    """Score interval of one share.

    Estimand: p. Formula: (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).
    Undefined without users. Source: Wilson (1927).
    """
    n, s = together(users, successes)
    if ((s < 0) | (s > n)).any():
        raise ValueError("successes must lie between 0 and users")
    size = np.maximum(n, 1)
    down, up = _wilson_reach(size, s, alpha)
    # At 0 and at n successes the bound is exactly 0 or 1, which rounding would miss.
    low = np.where(s <= 0, 0.0, s / size - down)
    high = np.where(s >= n, 1.0, s / size + up)
    return Interval.of(low, high, reasons_where(n.shape, (n < 1, Reason.NO_USERS)))


def _wilson_reach(n: Floats, s: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Distances of the Wilson bounds below and above s / n, without subtracting near-equal shares."""
    square = float(special.ndtri(1 - alpha / 2)) ** 2
    half = np.sqrt(square) * np.sqrt(s * (n - s) / n + square / 4)
    tilt = square * (s / n - 0.5)
    return (half + tilt) / (n + square), (half - tilt) / (n + square)


def newcombe_interval(
    control_users: ArrayLike,
    control_successes: ArrayLike,
    treatment_users: ArrayLike,
    treatment_successes: ArrayLike,
    alpha: float,
) -> Interval:
    """Interval of p_T - p_C from two Wilson intervals; it holds its level at few conversions.

    Formula: d - sqrt((p_T - l_T)^2 + (u_C - p_C)^2), d + sqrt((u_T - p_T)^2 + (p_C - l_C)^2).
    Undefined without users in an arm. Source: Newcombe (1998), method 10.
    """
    (n_c, s_c, n_t, s_t), empty = _counts(
        control_users, control_successes, treatment_users, treatment_successes
    )
    safe_c, safe_t = np.maximum(n_c, 1), np.maximum(n_t, 1)
    down_c, up_c = _wilson_reach(safe_c, s_c, alpha)
    down_t, up_t = _wilson_reach(safe_t, s_t, alpha)
    difference = (s_t * n_c - s_c * n_t) / (safe_c * safe_t)
    low = difference - np.hypot(down_t, up_c)
    high = difference + np.hypot(up_t, down_c)
    return Interval.of(low, high, empty)
