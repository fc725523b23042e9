"""Anytime-valid inference: e-values, confidence sequences, and the split of alpha.

What is proved here holds at every look and at any stopping time, for users whose metric window has
closed; looking every day costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Bools,
    Floats,
    Interval,
    Outcome,
    Reason,
    floats,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues


def log_multinomial_e(counts: ArrayLike, shares: ArrayLike, concentration: float) -> Floats:
    """Natural log of the Dirichlet-multinomial e-value of "counts fall with these shares".

    Estimand: evidence against theta = shares. Model: multinomial draws, mixed over
    Dirichlet(k theta) under the alternative. Formula:
    log e = ln B(k theta + c) - ln B(k theta) - sum c ln theta.
    On users per arm it tests the sample ratio; on conversions per arm, with theta the allocation, it
    is an anytime-valid test of equal conversion. Arms of share 0 are left out: they must have no
    counts. Source: Lindon and Malek (2022), "Anytime-valid inference for multinomial count data".

    Args:
        counts: shape (arms, *cells), non-negative.
        shares: same shape, non-negative, summing to 1 over arms.
        concentration: k > 0.
    """
    c, theta = together(counts, shares)
    if ((theta <= 0) & (c > 0)).any():
        raise ValueError("an arm of share 0 has counts: a leak, not a matter of proportions")
    if concentration <= 0:
        raise ValueError("the concentration must be positive")
    open_arm = theta > 0
    prior = np.where(open_arm, concentration * theta, 1.0)
    parts = np.where(open_arm, special.gammaln(prior + c) - special.gammaln(prior), 0.0)
    # Around c ln theta, gammaln(n) ~ n ln n cancels to a few units: at 1e9 users 1e-6 is left.
    total = c.sum(axis=0)
    joint = np.where(open_arm, concentration * theta, 0.0).sum(axis=0)
    return np.asarray(_log_e(c, prior, open_arm, total, joint, parts))


def _log_e(
    c: Floats, prior: Floats, open_arm: Bools, total: Floats, joint: Floats, parts: Floats
) -> Floats:
    """log e by differences of log-gamma, or for many counts by Stirling with the large terms cancelled."""
    theta = np.where(open_arm, prior / joint, 1.0)
    plain = parts.sum(axis=0) - special.gammaln(total + joint) + special.gammaln(joint)
    plain = plain - np.where(open_arm, special.xlogy(c, theta), 0.0).sum(axis=0)
    many = total > 1e4
    if not many.any():
        return np.asarray(plain)
    a = np.where(open_arm, prior + c, 1.0)
    whole = total + joint
    # sum (a - 1/2) ln a - (A - 1/2) ln A - sum c ln theta, with a = A theta (1 + d).
    expected = np.where(open_arm, whole * theta, 1.0)
    deviation = (a - expected) / expected
    pieces = np.where(
        open_arm,
        (a - 0.5) * np.log1p(deviation) + (a - 0.5 - c) * np.log(theta) + _stirling(a),
        0.0,
    ).sum(axis=0)
    arms = open_arm.sum(axis=0)
    stirling = (
        pieces
        - (arms - 1) / 2 * np.log(whole)
        + (arms - 1) / 2 * np.log(2 * np.pi)
        - _stirling(whole)
        - (np.where(open_arm, special.gammaln(prior), 0.0).sum(axis=0) - special.gammaln(joint))
    )
    return np.asarray(np.where(many, stirling, plain))


def _stirling(z: Floats) -> Floats:
    """log Gamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2)."""
    inverse = 1 / np.maximum(z, 10.0)
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    exact = special.gammaln(z) - ((z - 0.5) * np.log(z) - z + np.log(2 * np.pi) / 2)
    return np.asarray(np.where(z >= 10, series, exact))


def anytime_p(log_e: ArrayLike) -> PValues:
    """p-value valid at every look: min(1, 1 / e). Source: Ville's inequality."""
    logs = floats(log_e)
    return PValues.of(-np.maximum(logs, 0.0), np.zeros(logs.shape, np.int8))


@dataclass(frozen=True)
class UpliftSequence:
    """Confidence sequence of a relative uplift; each bound may be missing on its own."""

    low: Outcome
    high: Outcome


def uplift_sequence(
    control_conversions: ArrayLike,
    treatment_conversions: ArrayLike,
    treatment_share: ArrayLike,
    concentration: float,
    alpha: float,
) -> UpliftSequence:
    """Confidence sequence of the relative uplift of conversion, valid at every look.

    Estimand: p_T / p_C - 1. Model: each conversion comes from the treatment with probability
    q = theta r / (1 - theta + theta r), r the ratio of rates, theta the treatment's share of users.
    Formula: all q with s_T ln q + s_C ln(1 - q) > ln B(k theta + c) - ln B(k theta) + ln alpha,
    found by bisection of a concave function in the log odds, then r = odds(q) (1 - theta) / theta.
    Its complement at q = theta is the test of ``log_multinomial_e``. The upper bound is missing
    (UNBOUNDED) where the data allow any ratio; the lower bound is then -1 in the same case.
    Source: Lindon and Malek (2022).

    Args:
        control_conversions, treatment_conversions: counts per cell.
        treatment_share: planned share of users in the treatment, of these two arms, in (0, 1).
        concentration: k > 0 of the mixture.
        alpha: error over all looks.
    """
    lost, won, share = together(control_conversions, treatment_conversions, treatment_share)
    if ((share <= 0) | (share >= 1)).any():
        raise ValueError("the treatment's share must lie inside (0, 1)")
    null = np.log(share) - np.log1p(-share)
    mixture = log_multinomial_e(np.stack([lost, won]), np.stack([1 - share, share]), concentration)
    # Relative to the null, the log likelihood ratio of log odds x is won (ln q - ln theta) + ...
    bound = mixture + np.log(alpha)
    peak = np.log(won + 1e-300) - np.log(lost + 1e-300)
    peak = np.where(lost + won > 0, np.clip(peak, -700.0, 700.0), null)

    def excess(odds: Floats) -> Floats:
        ratio = won * (special.log_expit(odds) - np.log(share))
        return np.asarray(ratio + lost * (special.log_expit(-odds) - np.log1p(-share)) - bound)

    ends = []
    for sign in (-1.0, 1.0):
        inside, outside = peak.copy(), np.full_like(peak, sign * 745.0)
        open_end = excess(outside) >= 0
        for _ in range(80):
            middle = (inside + outside) / 2
            held = excess(middle) >= 0
            inside, outside = np.where(held, middle, inside), np.where(held, outside, middle)
        ends.append((np.where(open_end, 0.0, (inside + outside) / 2 - null), open_end))
    (low, low_open), (high, high_open) = ends
    low_value = np.where(low_open, -1.0, np.expm1(np.minimum(low, 700.0)))
    unbounded = high_open | (high > 700.0)
    high_value = np.where(unbounded, 0.0, np.expm1(np.where(unbounded, 0.0, high)))
    reasons = reasons_where(high.shape, (unbounded, Reason.UNBOUNDED))
    return UpliftSequence(Outcome.of(low_value), Outcome.of(high_value, reasons))


@dataclass(frozen=True)
class AnytimeEffect:
    """Asymptotic confidence sequence of an absolute effect, shape of the cells."""

    interval: Interval
    log_e: Outcome
    p: PValues


def mixture_variance(users: ArrayLike, planned_users: ArrayLike, alpha: float) -> Floats:
    """n rho^2: mixing variance in units of the estimate's, tuned to be tightest at the planned sample.

    Formula: rho^2 = (-2 ln alpha + ln(-2 ln alpha + 1)) / N*. Source: Waudby-Smith, Arbour, Sinha,
    Kennedy, Ramdas (2021), "Time-uniform central limit theory", appendix B.2.

    Args:
        users: users of both arms so far.
        planned_users: users of both arms at the planned end, N*, positive.
    """
    n, planned = together(users, planned_users)
    if (planned <= 0).any():
        raise ValueError("planned_users must be positive")
    spent = -2 * np.log(alpha)
    return np.asarray(n * (spent + np.log(spent + 1)) / planned)


def anytime_effect(
    difference: Outcome, standard_error: Outcome, mixing: ArrayLike, alpha: float
) -> AnytimeEffect:
    """Confidence sequence, e-value and anytime p-value of an absolute effect.

    Estimand: treatment minus control. Model: estimate asymptotically N(effect, se^2) along the whole
    path, effect mixed over N(0, mixing se^2). Formulas: half-width
    se sqrt((1 + m) / m ln((1 + m) / alpha^2)); log e = z^2 m / (2 (1 + m)) - ln(1 + m) / 2.
    Use it for means and ratios; for conversions ``uplift_sequence`` needs no asymptotics.
    Source: Waudby-Smith et al. (2021), theorem 2.2; Robbins (1970) for the mixture.

    Args:
        difference, standard_error: as from ``compare_means``.
        mixing: m > 0, as from ``mixture_variance``.
        alpha: error over all looks.
    """
    m = np.broadcast_to(floats(mixing), difference.values.shape)
    reasons = np.where(
        (standard_error.reasons == 0) & (m <= 0), np.int8(Reason.NO_USERS), standard_error.reasons
    ).astype(np.int8)
    safe = np.where(m > 0, m, 1.0)
    half = standard_error.values * np.sqrt((1 + safe) / safe * np.log((1 + safe) / alpha**2))
    error = np.where(reasons == 0, standard_error.values, 1.0)
    z = np.where(reasons == 0, difference.values, 0.0) / error
    log_e = z * z * safe / (2 * (1 + safe)) - np.log1p(safe) / 2
    return AnytimeEffect(
        Interval.of(difference.values - half, difference.values + half, reasons),
        Outcome.of(log_e, reasons),
        PValues.of(-np.maximum(log_e, 0.0), reasons),
    )


def anytime_beyond(
    difference: Outcome,
    standard_error: Outcome,
    bound: ArrayLike,
    mixing: ArrayLike,
) -> PValues:
    """Anytime p-value of "the effect is not above ``bound``", one-sided.

    Estimand: whether the effect exceeds a margin. Formula: the mixture over the half normal above
    the bound, e = 2 / sqrt(1 + m) exp(z^2 m / (2 (1 + m))) Phi(z sqrt(m / (1 + m))) with
    z = (difference - bound) / se; p = min(1, 1 / e). Source: Robbins (1970), one-sided mixture.
    """
    m, limit = (
        np.broadcast_to(floats(value), difference.values.shape) for value in (mixing, bound)
    )
    reasons = np.where(
        (standard_error.reasons == 0) & (m <= 0), np.int8(Reason.NO_USERS), standard_error.reasons
    ).astype(np.int8)
    safe = np.where(m > 0, m, 1.0)
    error = np.where(reasons == 0, standard_error.values, 1.0)
    z = np.where(reasons == 0, difference.values - limit, 0.0) / error
    shrunk = safe / (1 + safe)
    log_e = np.log(2) - np.log1p(safe) / 2 + z * z * shrunk / 2
    log_e = log_e + special.log_ndtr(z * np.sqrt(shrunk))
    return PValues.of(-np.maximum(log_e, 0.0), reasons)


def hybrid_rejects(
    anytime: PValues,
    fixed: PValues,
    at_planned_end: ArrayLike,
    alpha_anytime: float,
    alpha_end: float,
) -> Bools:
    """Test at every look and once more, with its own share of alpha, at the planned end.

    Estimand: rejection of "no effect". Formula: anytime p < alpha_anytime, or at the planned end
    fixed p < alpha_end; by the union bound the error is at most alpha_anytime + alpha_end.

    Args:
        anytime, fixed: p-values of one shape.
        at_planned_end: whether this look is the planned end.
    """
    early = anytime.value.defined & (anytime.value.values < alpha_anytime)
    late = fixed.value.defined & (fixed.value.values < alpha_end)
    return np.asarray(early | (np.asarray(at_planned_end, dtype=np.bool_) & late))
