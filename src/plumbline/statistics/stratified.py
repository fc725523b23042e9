"""Post-stratification: the effect with the strata mixed as in all users, whatever the arms hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.means import Summary
from plumbline.statistics.outcomes import Floats, Interval, Outcome, Reason
from plumbline.statistics.tails import PValues, log_normal_two_sided


@dataclass(frozen=True)
class StratifiedEffect:
    """Effect per experiment, shape (*cells).

    Attributes:
        difference, standard_error, p, interval: of the treatment minus control.
        control_mean, treatment_mean: arm means with the pooled mixture of strata.
        dropped_share: users in strata that lack two users in an arm and were left out.
    """

    difference: Outcome
    standard_error: Outcome
    p: PValues
    interval: Interval
    control_mean: Outcome
    treatment_mean: Outcome
    dropped_share: Floats


def post_stratified(control: Summary, treatment: Summary, alpha: float) -> StratifiedEffect:
    """Difference of means reweighted to the pooled shares of pre-exposure strata.

    Estimand: average effect over all users of kept strata. Model: randomised within strata.
    Formulas: sum_s w_s (T_s - C_s), variance sum_s w_s^2 (v_T / n_T + v_C / n_C), with
    w_s = n_s / n over both arms. Source: Miratrix, Sekhon, Yu (2013).

    Args:
        control, treatment: summaries of shape (strata, *cells).
        alpha: two-sided error of the interval.
    """
    users = control.n + treatment.n
    kept = (control.reasons == 0) & (treatment.reasons == 0)
    total = users.sum(axis=0)
    used = np.where(kept, users, 0).sum(axis=0)
    weight = np.where(kept, users, 0) / np.maximum(used, 1)
    # No more strata than one would be a plain comparison; none at all is no comparison.
    reasons = np.where(used == 0, np.int8(Reason.NO_OVERLAP), np.int8(0)).astype(np.int8)
    means = [(weight * (arm.estimate + arm.rest)).sum(axis=0) for arm in (control, treatment)]
    gap = (treatment.estimate - control.estimate) + (treatment.rest - control.rest)
    difference = (weight * gap).sum(axis=0)
    squared = (weight**2 * (control.squared_error + treatment.squared_error)).sum(axis=0)
    flat = np.where((reasons == 0) & (squared <= 0), np.int8(Reason.ZERO_VARIANCE), reasons)
    error = np.sqrt(np.where(flat == 0, squared, 1.0))
    z = np.where(flat == 0, difference / error, 0.0)
    half = float(special.ndtri(1 - alpha / 2)) * error
    return StratifiedEffect(
        Outcome.of(difference, reasons),
        Outcome.of(error, flat),
        PValues.of(log_normal_two_sided(z), flat),
        Interval.of(difference - half, difference + half, flat),
        Outcome.of(means[0], reasons),
        Outcome.of(means[1], reasons),
        np.asarray(1 - used / np.maximum(total, 1)),
    )
