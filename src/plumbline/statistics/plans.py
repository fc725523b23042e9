"""What a sample can see, what it would take, and effects by segment: from rows of results."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import Outcome, Reason
from plumbline.statistics.power import detectable_effect, power_of_test, users_per_arm
from plumbline.statistics.readouts import Columns, groups_of, nullable, rows
from plumbline.statistics.segments import shrink_segments

_KEYS = ("experiment_id", "phase", "variation_id", "metric")


def segment_effects(columns: Columns) -> dict[str, Any]:
    """Effect of each segment as measured, and drawn towards the common one.

    Estimand: relative effect per segment. Formula: ``shrink_segments`` on the log of the ratio, within
    experiment, phase, treatment, metric and kind of segment; back by exp(x) - 1. Segments whose ratio is
    not clearly defined are left out; so are kinds with one such segment, which have nothing to share.

    Args:
        columns: rows of results (one cohort and method) with keys, segment_key, segment_value, log_ratio,
            log_ratio_error, good_direction and the counts of units.
    """
    # Who is triggered is known only after the exposure: that is no segment to act on.
    known = ~np.isnan(columns["log_ratio"]) & ~np.isin(columns["segment_key"], ("all", "trigger"))
    part = rows(columns, known)
    _, group = groups_of(part, (*_KEYS, "segment_key"))
    several = np.bincount(group, minlength=1)[group] > 1 if len(group) else np.zeros(0, np.bool_)
    part, group = rows(part, several), np.unique(group[several], return_inverse=True)[1].ravel()
    count = int(group.max()) + 1 if len(group) else 0
    found = shrink_segments(part["log_ratio"], part["log_ratio_error"], group, count)
    up = part["good_direction"] != "down"
    positive = found.probability_of_positive.values
    raw_positive = special.ndtr(part["log_ratio"] / part["log_ratio_error"])
    return {
        **{key: part[key] for key in (*_KEYS, "segment_key", "segment_value")},
        "control_unit_count": part["control_unit_count"],
        "treatment_unit_count": part["treatment_unit_count"],
        "raw_effect": np.expm1(part["log_ratio"]),
        "shrunk_effect": np.expm1(found.shrunk.values),
        "shrunk_low": np.expm1(found.shrunk.values - 1.959963984540054 * found.deviation.values),
        "shrunk_high": np.expm1(found.shrunk.values + 1.959963984540054 * found.deviation.values),
        "probability_better": np.where(up, positive, 1 - positive),
        "raw_probability_better": np.where(up, raw_positive, 1 - raw_positive),
        "common_effect": np.expm1(found.mean.values[group]),
        "effect_deviation": np.sqrt(found.tau_squared[group]),
        "heterogeneity_p_value": nullable(found.heterogeneity_p.value)[group],
    }


def plans(columns: Columns, alpha: float, power: float) -> dict[str, Any]:
    """What the units so far can see of a metric, and what the planned effect would take.

    Estimand: n per arm for the minimum effect of interest, the effect seen with the given power, and the
    chance of seeing the minimum effect with the units there are. Formulas: ``users_per_arm``,
    ``detectable_effect``, ``power_of_test``; variances are those of the control, per unit.

    Args:
        columns: rows of results (segment all, cohort matured) with control_value, control_standard_error,
            the counts of units and mde_relative (NaN: not stated).
        alpha: two-sided error.
        power: wanted chance of seeing the effect.
    """
    n_c, n_t = columns["control_unit_count"], columns["treatment_unit_count"]
    variance = np.nan_to_num(columns["control_standard_error"]) ** 2 * n_c
    base = np.abs(np.nan_to_num(columns["control_value"]))
    wanted = np.nan_to_num(columns["mde_relative"]) * base
    flat = variance <= 0
    needed = users_per_arm(wanted, variance, variance, 1.0, alpha, power)
    codes = np.where(flat, np.int8(Reason.ZERO_VARIANCE), needed.reasons).astype(np.int8)
    needed = Outcome.of(np.where(codes == 0, needed.values, 0.0), codes)
    seen = detectable_effect(n_c, n_t, variance, variance, alpha, power)
    error = np.sqrt(np.where(flat, 1.0, variance) * (1 / n_c + 1 / n_t))
    usable = ~flat & (wanted > 0)
    return {
        **{key: columns[key] for key in _KEYS},
        "control_unit_count": n_c,
        "treatment_unit_count": n_t,
        "control_value": columns["control_value"],
        "control_deviation": np.where(flat, np.nan, np.sqrt(variance)),
        "mde_relative": columns["mde_relative"],
        "needed_units_per_arm": np.ceil(nullable(needed)),
        "detectable_relative": np.where(
            flat | (base <= 0), np.nan, nullable(seen) / np.where(base > 0, base, 1.0)
        ),
        "power": np.where(usable, power_of_test(wanted, error, alpha), np.nan),
        "reason": needed.names(),
    }
