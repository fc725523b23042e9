"""Power: how many users an effect needs, what a sample can see, and how many days are left."""

from __future__ import annotations

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Outcome,
    Reason,
    reasons_where,
    together,
)


def _quantiles(alpha: float, power: float) -> float:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError("alpha and power must lie inside (0, 1)")
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power))


def users_per_arm(
    effect: ArrayLike,
    control_variance: ArrayLike,
    treatment_variance: ArrayLike,
    treatment_ratio: ArrayLike,
    alpha: float,
    power: float,
) -> Outcome:
    """Control users needed to see an absolute effect; the treatment needs ``treatment_ratio`` times that.

    Estimand: n of the control. Model: two-sided normal test. Formula:
    (z_{1 - alpha/2} + z_power)^2 (v_C + v_T / ratio) / effect^2. Not rounded up.
    Undefined for an effect of 0. Source: textbook.

    Args:
        effect: absolute difference to be seen (relative MDE times the mean).
        control_variance, treatment_variance: per user; for a share p (1 - p).
        treatment_ratio: treatment users per control user.
        alpha, power: two-sided error, and chance of seeing the effect.
    """
    gap, var_c, var_t, ratio = together(
        effect, control_variance, treatment_variance, treatment_ratio
    )
    zero = gap == 0
    n = _quantiles(alpha, power) ** 2 * (var_c + var_t / ratio) / np.where(zero, 1.0, gap) ** 2
    return Outcome.of(n, reasons_where(n.shape, (zero, Reason.UNBOUNDED)))


def detectable_effect(
    control_users: ArrayLike,
    treatment_users: ArrayLike,
    control_variance: ArrayLike,
    treatment_variance: ArrayLike,
    alpha: float,
    power: float,
) -> Outcome:
    """Absolute effect that a sample sees with the given power.

    Formula: (z_{1 - alpha/2} + z_power) sqrt(v_C / n_C + v_T / n_T). Undefined without users.
    """
    n_c, n_t, var_c, var_t = together(
        control_users, treatment_users, control_variance, treatment_variance
    )
    empty = (n_c < 1) | (n_t < 1)
    error = np.sqrt(var_c / np.maximum(n_c, 1) + var_t / np.maximum(n_t, 1))
    return Outcome.of(
        _quantiles(alpha, power) * error, reasons_where(error.shape, (empty, Reason.NO_USERS))
    )


def power_of_test(effect: ArrayLike, standard_error: ArrayLike, alpha: float) -> Floats:
    """Chance that a two-sided test sees an absolute effect.

    Formula: Phi(|effect| / se - z) + Phi(-|effect| / se - z), z the 1 - alpha/2 quantile.

    Args:
        effect, standard_error: of the difference; standard_error > 0.
        alpha: two-sided error.
    """
    gap, error = together(effect, standard_error)
    if (error <= 0).any():
        raise ValueError("a standard error must be positive")
    z = float(special.ndtri(1 - alpha / 2))
    shift = np.abs(gap) / error
    return np.asarray(special.ndtr(shift - z) + special.ndtr(-shift - z))


def days_left(days: ArrayLike, half_width: ArrayLike, target: ArrayLike) -> Outcome:
    """Further days until the interval is as narrow as wanted, at the traffic so far.

    Formula: days ((half_width / target)^2 - 1), not below 0: widths fall as 1 / sqrt(n).
    Undefined where the target is 0 (UNBOUNDED) or no day has passed (TOO_FEW_PERIODS).

    Args:
        days: full days so far.
        half_width: half of the current interval, in the units of ``target``.
        target: wanted half width, as the minimum effect of interest.
    """
    passed, width, goal = together(days, half_width, target)
    reasons = reasons_where(
        passed.shape, (passed <= 0, Reason.TOO_FEW_PERIODS), (goal <= 0, Reason.UNBOUNDED)
    )
    factor = (width / np.where(goal > 0, goal, 1.0)) ** 2 - 1
    return Outcome.of(np.maximum(passed * factor, 0.0), reasons)
