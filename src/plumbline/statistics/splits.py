"""Was the experiment run as planned: shares of the arms, and how alike the arms were before it began."""

from __future__ import annotations

from typing import Any

import numpy as np

from plumbline.statistics.means import compare_means, summarise_mean
from plumbline.statistics.multiplicity import benjamini_hochberg
from plumbline.statistics.readouts import Columns, moments_of, nullable
from plumbline.statistics.sample_ratio import check_sample_ratio


def split_checks(columns: Columns, concentration: float) -> dict[str, Any]:
    """Sample ratio of every experiment as a whole and of every segment of it.

    Segments are many tests: their p-values are also given corrected within the experiment (Benjamini and
    Hochberg). A segment without users of open arms has no test.

    Args:
        columns: one row per arm and segment: experiment_id, phase, segment_key, segment_value, unit_count,
            expected_weight.
        concentration: k of the e-value.

    Returns:
        One row per experiment, phase and segment.
    """
    keys = ("experiment_id", "phase", "segment_key", "segment_value")
    found: dict[tuple[Any, ...], int] = {}
    group = np.array(
        [
            found.setdefault(key, len(found))
            for key in zip(*(columns[key] for key in keys), strict=True)
        ],
        dtype=np.int64,
    )
    count = len(found)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count))
    place = np.empty(len(group), dtype=np.int64)
    place[order] = np.arange(len(group)) - starts[group[order]]
    arms = int(place.max(initial=0)) + 1
    users, weights = np.zeros((arms, count)), np.zeros((arms, count))
    users[place, group], weights[place, group] = columns["unit_count"], columns["expected_weight"]
    check = check_sample_ratio(users, weights, concentration)
    names = list(zip(*found, strict=True)) if found else [()] * len(keys)
    result: dict[str, Any] = {
        key: np.array(values, dtype=np.float64 if key == "phase" else object)
        for key, values in zip(keys, names, strict=True)
    }
    p = nullable(check.p.value)
    adjusted = np.full(count, np.nan)
    part = ~np.isnan(p) & (result["segment_key"] != "all")
    if part.any():
        labels = np.array([f"{key[0]}\x1f{key[1]}" for key in found])[part]
        adjusted[part] = benjamini_hochberg(
            p[part], np.unique(labels, return_inverse=True)[1].ravel()
        )
    result |= {
        "unit_count": users.sum(axis=0),
        "leaked_count": check.leaked_users,
        "chi_square": nullable(check.chi_square),
        "p_value": p,
        "adjusted_p_value": adjusted,
        "log_e_value": nullable(check.log_e),
        "reason": check.p.value.names(),
    }
    return result


def imbalances(columns: Columns, alpha: float) -> dict[str, Any]:
    """How the arms differed before exposure, measure by measure: randomisation leaves only chance.

    Args:
        columns: cells of ``readouts``, one per experiment, phase, treatment and measure.
        alpha: error of intervals (not returned).

    Returns:
        Means of the arms, their difference in standard deviations, and Welch's p-value.
    """
    control, treatment = (moments_of(columns, arm, "x") for arm in ("control", "treatment"))
    compared = compare_means(summarise_mean(control), summarise_mean(treatment), alpha, False)
    spread = np.sqrt(
        (
            control.m2(0) / np.maximum(control.n - 1, 1)
            + treatment.m2(0) / np.maximum(treatment.n - 1, 1)
        )
        / 2
    )
    flat = np.isnan(nullable(compared.difference)) | (spread <= 0)
    keys = ("experiment_id", "phase", "variation_id", "measure")
    return {
        **{key: columns[key] for key in keys},
        "control_unit_count": columns["control_unit_count"],
        "treatment_unit_count": columns["treatment_unit_count"],
        "control_mean": control.mean[..., 0] + control.rest[..., 0],
        "treatment_mean": treatment.mean[..., 0] + treatment.rest[..., 0],
        "standardised_difference": np.where(
            flat, np.nan, compared.difference.values / np.where(flat, 1.0, spread)
        ),
        "p_value": nullable(compared.p.value),
        "reason": compared.p.value.names(),
    }
