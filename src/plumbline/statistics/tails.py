"""Tail probabilities that do not underflow: every p-value has a logarithm beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    SMALLEST_PROBABILITY,
    ArrayLike,
    Codes,
    Floats,
    Outcome,
    together,
)

# Below this the direct function is replaced by the logarithmic one.
_SMALL = 1e-280
_ROUNDS = 500


@dataclass(frozen=True)
class PValues:
    """p-values and their decimal logarithms, of the shape of the input cells.

    ``value`` is never 0: it stops at the smallest normal double, ``log10`` goes on.
    """

    value: Outcome
    log10: Outcome

    @staticmethod
    def of(logs: ArrayLike, reasons: Codes) -> PValues:
        """p-values of natural logarithms; where undefined, by its reason, both are blanked."""
        array = np.minimum(np.asarray(logs, dtype=np.float64), 0.0)
        value = np.maximum(np.exp(array), SMALLEST_PROBABILITY)
        return PValues(Outcome.of(value, reasons), Outcome.of(array / np.log(10), reasons))


def log_normal_two_sided(z: ArrayLike) -> Floats:
    """log of P(|Z| >= |z|) for a standard normal Z. Source: scipy's log_ndtr, exact in the tail."""
    return np.asarray(np.minimum(np.log(2) + special.log_ndtr(-np.abs(np.asarray(z))), 0.0))


def log_chi_square_tail(statistic: ArrayLike, degrees: ArrayLike) -> Floats:
    """log of P(X >= statistic) for X chi-square with ``degrees`` > 0 degrees of freedom.

    Formula: log Q(degrees / 2, statistic / 2); where Q underflows, the continued fraction of
    Legendre, evaluated from the back. Source: DLMF 8.9.2.
    """
    x, df = together(statistic, degrees)
    x, a = x / 2, df / 2
    direct = special.gammaincc(a, x)
    tiny = direct < _SMALL
    logs = np.log(np.where(tiny, 1.0, direct))
    if tiny.any():
        xt, at = x[tiny], a[tiny]
        fraction = xt.copy()
        for step in range(_ROUNDS, 0, -1):
            fraction = xt + (step - at) / (1 + step / fraction)
        logs[tiny] = at * np.log(xt) - xt - special.gammaln(at) - np.log(fraction)
    return np.asarray(logs)


def log_student_two_sided(t: ArrayLike, degrees: ArrayLike) -> Floats:
    """log of P(|T| >= |t|) for Student's T with ``degrees`` > 0 degrees of freedom.

    Formula: 2 F(-|t|); where it underflows, the incomplete beta function
    I_x(degrees / 2, 1 / 2) at x = degrees / (degrees + t^2) by its continued fraction.
    Source: DLMF 8.17.22, evaluated from the back.
    """
    value, df = together(t, degrees)
    size = np.abs(value)
    direct = 2 * special.stdtr(df, -size)
    tiny = direct < _SMALL
    logs = np.log(np.where(tiny, 1.0, np.minimum(direct, 1.0)))
    if tiny.any():
        a, b = df[tiny] / 2, 0.5
        odds = size[tiny] ** 2 / df[tiny]
        x, log_x, log_rest = 1 / (1 + odds), -np.log1p(odds), -np.log1p(1 / odds)
        fraction = np.ones_like(a)
        for step in range(_ROUNDS, 0, -1):
            half, odd = divmod(step, 2)
            if odd:
                term = -(a + half) * (a + b + half) / ((a + 2 * half) * (a + 2 * half + 1))
            else:
                term = half * (b - half) / ((a + 2 * half - 1) * (a + 2 * half))
            fraction = 1 + term * x / fraction
        scale = a * log_x + b * log_rest - np.log(a) - special.betaln(a, b)
        logs[tiny] = scale - np.log(fraction)
    return np.asarray(logs)


def student_quantile(level: float, degrees: ArrayLike) -> Floats:
    """Quantile of Student's t for arrays of degrees of freedom > 0.

    Formula: the expansion about the normal quantile to fifth order from 400 degrees on (error below
    1e-12), scipy's inverse below. Source: Abramowitz and Stegun 26.7.5.
    """
    (df,) = together(degrees)
    z = float(special.ndtri(level))
    inverse = 1 / np.maximum(df, 400.0)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    result = z + inverse * (first + inverse * (second + inverse * (third + inverse * fourth)))
    few = df < 400
    if few.any():
        result[few] = special.stdtrit(df[few], level)
    return np.asarray(result)
