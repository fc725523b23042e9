"""Sample ratio mismatch: do the arms hold the shares of users that were planned?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plumbline.statistics.evidence import log_multinomial_e
from plumbline.statistics.outcomes import ArrayLike, Bools, Ints, Outcome, Reason, together
from plumbline.statistics.tails import PValues, log_chi_square_tail


@dataclass(frozen=True)
class SampleRatio:
    """Checks of one experiment each, shape (*experiments).

    Attributes:
        leaked_users: users found in arms whose planned weight is 0.
        chi_square, degrees: Pearson's statistic over arms of positive weight.
        p: its p-value, for one look at the end.
        log_e: natural log of the e-value, valid at every look.
    """

    leaked_users: Ints
    chi_square: Outcome
    degrees: Ints
    p: PValues
    log_e: Outcome


def check_sample_ratio(users: ArrayLike, weights: ArrayLike, concentration: float) -> SampleRatio:
    """Test users per arm against planned weights.

    Estimand: whether each user falls into arm i with probability theta_i. Model: multinomial.
    Formulas: sum (c - n theta)^2 / (n theta) over arms with theta > 0, with one degree of freedom
    less than these arms; e-value as ``log_multinomial_e``. Users of a zero-weight arm are a leak,
    counted apart and in neither test. Source: Fabijan et al. (2019); Lindon and Malek (2022).

    Args:
        users: counts of shape (arms, *experiments).
        weights: planned weights of the same shape, any scale; arms of weight 0 get no traffic.
        concentration: k of the Dirichlet mixture.
    """
    counts, planned = together(users, weights)
    if (counts < 0).any() or (planned < 0).any():
        raise ValueError("users and weights cannot be negative")
    open_arm = planned > 0
    leaked = np.where(open_arm, 0, counts).sum(axis=0)
    total_weight = planned.sum(axis=0)
    theta = planned / np.where(total_weight > 0, total_weight, 1.0)
    kept = np.where(open_arm, counts, 0.0)
    n = kept.sum(axis=0)
    expected = n * theta
    parts = np.where(open_arm & (expected > 0), (kept - expected) ** 2, 0.0)
    statistic = (parts / np.where(expected > 0, expected, 1.0)).sum(axis=0)
    arms = open_arm.sum(axis=0)
    reasons = np.where(
        n <= 0, Reason.NO_USERS, np.where(arms < 2, Reason.ZERO_WEIGHT, Reason.DEFINED)
    ).astype(np.int8)
    degrees = np.maximum(arms - 1, 1)
    logs = log_chi_square_tail(statistic, degrees).reshape(statistic.shape)
    log_e = log_multinomial_e(kept, theta, concentration)
    return SampleRatio(
        leaked.astype(np.int64),
        Outcome.of(statistic, reasons),
        (arms - 1).astype(np.int64),
        PValues.of(logs, reasons),
        Outcome.of(np.where(reasons == 0, log_e, 0.0), reasons),
    )


def mismatch(
    check: SampleRatio, at_end: ArrayLike, p_threshold: float, e_threshold: float
) -> Bools:
    """Whether a sample ratio mismatch is declared.

    Estimand: as ``check_sample_ratio``. Formula: at the planned end p below ``p_threshold``, at every
    look the e-value from ``e_threshold`` on. A leak is not a mismatch (see ``leaked_users``).
    """
    defined = check.log_e.defined
    by_e = check.log_e.values >= np.log(e_threshold)
    by_p = np.asarray(at_end, dtype=np.bool_) & (check.p.value.values < p_threshold)
    return np.asarray(defined & (by_e | by_p))
