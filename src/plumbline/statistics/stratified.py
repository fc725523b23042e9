"""Post-stratification: the effect with the strata mixed as in all users, whatever the arms hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.means import Summary
from plumbline.statistics.moments import Moments
from plumbline.statistics.outcomes import Bools, Codes, Floats, Interval, Ints, Outcome, Reason
from plumbline.statistics.ratios import linearised_variance
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


# With fewer units an arm a stratum says too little of its own variance.
FEWEST_STRATUM_UNITS = 10
# Up to this share of units may stand in strata that cannot be compared; beyond, the rest is another crowd.
LARGEST_DROPPED_SHARE = 0.01


def merge_thin(label: Ints, cell: Ints, control_units: Floats, treatment_units: Floats) -> Ints:
    """Labels of strata, shape (strata,): those with few units in an arm become one, -1.

    Formula: fewer than ``FEWEST_STRATUM_UNITS`` in the smaller arm.

    Args:
        label, cell: of each row; -1 is what is in no stratum.
        control_units, treatment_units: of each row.
    """
    thin = np.minimum(control_units, treatment_units) < FEWEST_STRATUM_UNITS
    return np.where(thin, np.int64(-1), label)


def merge_into_smallest(
    label: Ints, cell: Ints, control_units: Floats, treatment_units: Floats
) -> Ints:
    """Labels with the stratum -1 of a cell, where it is thin, put with the smallest other one.

    Formula: as of :func:`merge_thin`; the smallest by units of both arms.

    Arguments as of :func:`merge_thin`.
    """
    thin = (label == -1) & (np.minimum(control_units, treatment_units) < FEWEST_STRATUM_UNITS)
    order = np.lexsort((label, control_units + treatment_units, label == -1, cell))
    first = order[np.unique(cell[order], return_index=True)[1]]
    smallest = dict(zip(cell[first].tolist(), label[first].tolist(), strict=True))
    moved = np.array([smallest[number] for number in cell[thin].tolist()], dtype=np.int64)
    result = label.copy()
    result[thin] = moved
    return result


def stratified_summaries(
    control: Moments,
    treatment: Moments,
    cells: Ints,
    units: tuple[Floats, Floats],
    is_ratio: bool,
) -> tuple[Summary, Summary]:
    """Arms with the mixture of strata of both arms together, ready for ``compare_means``.

    Estimand: mean per unit (or ratio of means) had both arms the pooled shares of strata. Model:
    randomised within strata, shares of strata known. Formulas, with w_s = n_s / n over both arms:
    M = sum_s w_s m_s with squared error sum_s w_s^2 v_s / n_s; for ratios R = M / D with v_s the
    variance of m - R d over D^2. Undefined (NO_OVERLAP) where more than ``LARGEST_DROPPED_SHARE`` of
    the units lie in strata without two units in an arm. Source: Miratrix, Sekhon, Yu (2013); ratios
    by the delta method.

    Args:
        control, treatment: moments of one row per stratum: the outcome, and the denominator of ratios.
        cells: cell of each row, integers in [0, len(units[0])).
        units: units of control and treatment per cell, with or without a stratum.
        is_ratio: whether variable 1 is a denominator.
    """
    count = len(units[0])
    both = (control.n + treatment.n).astype(np.float64)
    kept = (control.n >= 2) & (treatment.n >= 2)
    used = np.bincount(cells[kept], both[kept], count)
    everybody = units[0] + units[1]
    weight = np.where(kept, both, 0.0) / np.maximum(used, 1)[cells]
    dropped = used < everybody * (1 - LARGEST_DROPPED_SHARE)
    arms = (control, treatment)
    return tuple(  # type: ignore[return-value]
        _mixture(arm, weight, kept, cells, count, dropped, is_ratio) for arm in arms
    )


def _mixture(
    arm: Moments,
    weight: Floats,
    kept: Bools,
    cells: Ints,
    count: int,
    dropped: Bools,
    is_ratio: bool,
) -> Summary:
    size = np.maximum(arm.n, 1)
    means = [
        np.bincount(cells, weight * (arm.mean[..., place] + arm.rest[..., place]), count).astype(
            np.float64
        )
        for place in range(arm.mean.shape[-1])
    ]
    units = np.bincount(cells[kept], arm.n[kept], count).astype(np.int64)
    codes: Codes = np.where(dropped | (units < 2), np.int8(Reason.NO_OVERLAP), np.int8(0)).astype(
        np.int8
    )
    if is_ratio:
        empty = means[1] == 0
        bottom = np.where(empty, 1.0, means[1])
        estimate = means[0] / bottom
        variance = linearised_variance(arm, 0, 1, estimate[cells]) / bottom[cells] ** 2
        codes = np.where((codes == 0) & empty, np.int8(Reason.ZERO_DENOMINATOR), codes).astype(
            np.int8
        )
    else:
        estimate = means[0]
        variance = arm.m2(0) / np.maximum(arm.n - 1, 1)
    squared = np.bincount(cells, weight**2 * variance / size, count).astype(np.float64)
    return Summary(units, estimate, np.zeros(count), squared * np.maximum(units, 1), codes)
