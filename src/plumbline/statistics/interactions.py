"""Do two experiments that share units disturb each other: difference in differences, pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np

from plumbline.statistics.means import Summary, summarise_mean
from plumbline.statistics.multiplicity import benjamini_hochberg
from plumbline.statistics.outcomes import Outcome, Reason
from plumbline.statistics.ratios import summarise_ratio
from plumbline.statistics.readouts import Columns, moments_of, nullable
from plumbline.statistics.tails import PValues, log_student_two_sided, student_quantile

GROUPS = ("neither", "other", "treated", "both")
_KEYS = (
    "experiment_id", "phase", "variation_id", "other_experiment_id", "other_phase", "other_variation_id",
    "metric",
)  # fmt: skip


def _summary(columns: Columns, group: str) -> Summary:
    """Mean per unit, or ratio over units, of one of the four groups."""
    mean = summarise_mean(moments_of(columns, group, "y"))
    is_ratio = columns["kind"] == "ratio"
    if not is_ratio.any():
        return mean
    ratio = summarise_ratio(moments_of(columns, group, "yd"))
    return Summary(
        mean.n,
        np.where(is_ratio, ratio.estimate, mean.estimate),
        np.where(is_ratio, ratio.rest, mean.rest),
        np.where(is_ratio, ratio.variance, mean.variance),
        np.where(is_ratio, ratio.reasons, mean.reasons).astype(np.int8),
    )


def interactions(columns: Columns, alpha: float, smallest: int) -> dict[str, Any]:
    """How much the effect of a treatment differs between units of another's treatment and of its control.

    Estimand: (both - other) - (treated - neither), the means (or ratios) of the units that got both
    treatments, the other's only, this one's only, or neither. Both assignments are random and independent, so
    0 is what two experiments give that leave each other alone. Model: independent groups, central limit
    theorem. Formula: the variance is the sum of four squared standard errors; Student's t with
    Satterthwaite's degrees of freedom; Benjamini and Hochberg over all pairs with a test. Source: Welch
    (1947); the 2 x 2 factorial, as Fisher (1935).

    Args:
        columns: one row per treatment, treatment of another experiment and metric of the first: keys, kind,
            scale, pivots, and of each of :data:`GROUPS` ``_unit_count`` and the sums y, yy, yyy, d, yd, dd.
        alpha: error of the interval.
        smallest: with fewer units in one of the groups there is no test.

    Returns:
        One row per row: keys, units of the groups, both effects, their difference with error, interval,
        p-value and corrected p-value, and the reason where there is none.
    """
    groups = {name: _summary(columns, name) for name in GROUPS}
    value = {name: group.estimate + group.rest for name, group in groups.items()}
    reasons = np.zeros(len(columns["kind"]), dtype=np.int8)
    for group in reversed(list(groups.values())):
        few = np.where(group.n < smallest, np.int8(Reason.TOO_FEW_USERS), np.int8(0))
        found = np.where(group.reasons != 0, group.reasons, few)
        reasons = np.where(found != 0, found, reasons).astype(np.int8)
    squared = np.sum([group.squared_error for group in groups.values()], axis=0)
    flat = np.where(reasons != 0, reasons, np.where(squared <= 0, Reason.ZERO_VARIANCE, 0)).astype(
        np.int8
    )
    ok = flat == Reason.DEFINED
    spread = np.sum(
        [group.squared_error**2 / np.maximum(group.n - 1, 1) for group in groups.values()], axis=0
    )
    degrees = np.where(ok, squared**2, 1.0) / np.where(ok, spread, 1.0)
    error = np.sqrt(np.where(ok, squared, 1.0))
    alone, beside = value["treated"] - value["neither"], value["both"] - value["other"]
    difference = np.where(reasons == 0, beside - alone, 0.0)
    half = student_quantile(1 - alpha / 2, degrees).reshape(degrees.shape) * error
    logs = log_student_two_sided(np.where(ok, difference / error, 0.0), degrees)
    p = nullable(PValues.of(logs.reshape(degrees.shape), flat).value)
    adjusted = np.full(len(p), np.nan)
    if ok.any():
        adjusted[ok] = benjamini_hochberg(p[ok], np.zeros(int(ok.sum()), dtype=np.int64))
    return {
        **{key: columns[key] for key in _KEYS},
        **{f"{name}_unit_count": group.n for name, group in groups.items()},
        "effect_without_other": nullable(Outcome.of(np.where(reasons == 0, alone, 0.0), reasons)),
        "effect_beside_other": nullable(Outcome.of(np.where(reasons == 0, beside, 0.0), reasons)),
        "interaction": nullable(Outcome.of(difference, reasons)),
        "standard_error": nullable(Outcome.of(error, flat)),
        "interaction_low": nullable(Outcome.of(difference - half, flat)),
        "interaction_high": nullable(Outcome.of(difference + half, flat)),
        "p_value": p,
        "adjusted_p_value": adjusted,
        "reason": Outcome.of(np.zeros(len(flat)), flat).names(),
    }
