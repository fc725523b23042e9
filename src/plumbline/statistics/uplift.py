"""Whom a treatment helps most: strata ordered by their effect in one half of units, tried on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from plumbline.statistics.means import compare_means, summarise_mean
from plumbline.statistics.outcomes import Bools, Floats, Ints, Outcome, Reason, reasons_where
from plumbline.statistics.readouts import Columns, groups_of, moments_of, nullable, rows
from plumbline.statistics.segments import shrink_segments
from plumbline.statistics.tails import PValues, log_normal_two_sided

_KEYS = ("experiment_id", "phase", "variation_id", "metric")
# With fewer units an arm the effect in half a stratum is left out: its error cannot be judged.
FEWEST_UNITS = 10


@dataclass(frozen=True)
class Ranking:
    """Strata in the order of a score and what treating them in that order gains; shape (strata,).

    Attributes:
        order: places of the input in the order of treatment, group by group.
        cumulative_share: share of the group's units treated so far.
        cumulative_gain: gain per unit of the group, in units of the metric.
        random_gain: gain of treating the same share at random.
        qini, standard_error: per group, shape (groups,): area between the two, and its error.
    """

    order: Ints
    cumulative_share: Floats
    cumulative_gain: Floats
    random_gain: Floats
    qini: Floats
    standard_error: Floats


def qini_ranking(
    score: Floats, effect: Floats, error: Floats, units: Floats, group: Ints, count: int
) -> Ranking:
    """Qini curve of strata treated in the order of a score that the effects had no part in.

    Estimand: area between the gain of treating the best-scored share s of units, s from 0 to 1, and s
    times the gain of treating all; 0 for a score that says nothing. Formulas, w_k the share of stratum k:
    area = sum_k c_k w_k d_k with c_k = w_k / 2 + sum_{j after k} w_j - 1/2, linear in the effects d, so its
    error is sqrt(sum (c_k w_k se_k)^2). Source: Radcliffe (2007), "Using control groups to target on
    predicted lift"; for strata with independent effects.

    Args:
        score, effect, error, units: per stratum: what orders them, effect per unit and its standard error in
            other units than those of the score, and their number.
        group: group of each, integers in [0, count). Ties of the score keep the order of the input.
        count: number of groups.
    """
    order = np.lexsort((np.arange(len(score)), -score, group))
    held = group[order]
    total = np.bincount(held, units[order], count)
    weight = units[order] / np.maximum(total, 1)[held]
    starts = np.searchsorted(held, np.arange(count))
    running = np.cumsum(weight)
    before = np.concatenate([[0.0], running])[starts][held]
    share = running - before
    gains = np.cumsum(weight * effect[order])
    gain = gains - np.concatenate([[0.0], gains])[starts][held]
    whole = np.bincount(held, weight * effect[order], count)
    part = weight / 2 + (1 - share) - 0.5
    return Ranking(
        order,
        share,
        gain,
        share * whole[held],
        np.bincount(held, part * weight * effect[order], count).astype(np.float64),
        np.sqrt(np.bincount(held, (part * weight * error[order]) ** 2, count)),
    )


@dataclass(frozen=True)
class _Halves:
    """Halves of strata with enough units; ``keys`` one per group, the others one per half."""

    keys: dict[str, npt.NDArray[Any]]
    group: Ints
    half: npt.NDArray[np.object_]
    stratum: npt.NDArray[np.object_]
    units: Floats
    effect: Floats
    error: Floats

    @property
    def count(self) -> int:
        """Number of groups, also of those without a half."""
        return len(self.keys["metric"])


def _halves(columns: Columns, alpha: float) -> _Halves:
    """Effect per unit in the good direction of each half of a stratum, with its error."""
    first, every = groups_of(columns, _KEYS)
    enough = np.minimum(columns["control_unit_count"], columns["treatment_unit_count"])
    kept = enough >= FEWEST_UNITS
    part = rows(columns, kept)
    arms = [summarise_mean(moments_of(part, arm, "y")) for arm in ("control", "treatment")]
    compared = compare_means(arms[0], arms[1], alpha, False)
    up = np.where(part["good_direction"] != "down", 1.0, -1.0)
    halves = [value.split(" ", 1) for value in part["segment_value"]]
    return _Halves(
        {key: columns[key][first] for key in _KEYS},
        every[kept],
        np.array([half for half, _ in halves], dtype=object),
        np.array([stratum for _, stratum in halves], dtype=object),
        part["control_unit_count"] + part["treatment_unit_count"],
        up * compared.difference.values,
        nullable(compared.standard_error),
    )


def _paired(found: _Halves) -> tuple[Ints, Ints]:
    """Rows of half a and of half b of the strata that have both."""
    at = {
        key: row
        for row, key in enumerate(zip(found.group.tolist(), found.stratum, found.half, strict=True))
    }
    pairs = [
        (row, at[group, stratum, "b"])
        for (group, stratum, half), row in at.items()
        if half == "a" and (group, stratum, "b") in at
    ]
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


def _folds(found: _Halves) -> list[tuple[Ints, Ints, Floats, Ranking]]:
    """Both ways of finding an order in a half and trying it on the other: found, tried, score, curve."""
    pair = _paired(found)
    usable = ~np.isnan(found.error[pair[0]]) & ~np.isnan(found.error[pair[1]])
    one, other = pair[0][usable], pair[1][usable]
    result = []
    for learnt, tried in ((one, other), (other, one)):
        group = found.group[learnt]
        shrunk = shrink_segments(found.effect[learnt], found.error[learnt], group, found.count)
        # Where strata do not differ their shrunk effects are equal: the raw ones then break the tie.
        score = shrunk.shrunk.values + 1e-9 * found.effect[learnt]
        curve = qini_ranking(
            score,
            found.effect[tried],
            found.error[tried],
            found.units[tried],
            group,
            found.count,
        )
        result.append((learnt, tried, shrunk.shrunk.values, curve))
    return result


def _enough(found: _Halves, learnt: Ints) -> Bools:
    return np.asarray(np.bincount(found.group[learnt], minlength=found.count) > 1)


def uplift_rankings(columns: Columns, alpha: float) -> dict[str, Any]:
    """Does it pay to treat some strata first? One row per experiment, phase, treatment and goal.

    Estimand: :func:`qini_ranking`, the mean of both ways of splitting the units. The two share their units,
    so the larger error that full dependence would give is used: (se_ab + se_ba) / 2. Ratios are taken by
    their numerators per unit. Fewer than two strata with enough units: null.

    Args:
        columns: cells of ``readouts`` of halves (segment_value: half, blank, stratum).
        alpha: error of the interval.
    """
    found = _halves(columns, alpha)
    count, folds = found.count, _folds(found)
    enough = _enough(found, folds[0][0])
    qini = np.mean([curve.qini for *_, curve in folds], axis=0)
    error = np.mean([curve.standard_error for *_, curve in folds], axis=0)
    codes = reasons_where(
        (count,), (~enough, Reason.TOO_FEW_USERS), (error <= 0, Reason.ZERO_VARIANCE)
    )
    safe = np.where(codes == 0, error, 1.0)
    p = PValues.of(log_normal_two_sided(np.where(codes == 0, qini, 0.0) / safe), codes)
    half = float(special.ndtri(1 - alpha / 2)) * safe
    whole = np.mean(
        [np.bincount(found.group[tried], minlength=count) for _, tried, *_ in folds], axis=0
    )
    units = sum(
        np.bincount(found.group[tried], found.units[tried], count) for _, tried, *_ in folds
    )
    return {
        **found.keys,
        "stratum_count": whole,
        "unit_count": units,
        "qini": nullable(Outcome.of(qini, codes)),
        "qini_low": nullable(Outcome.of(qini - half, codes)),
        "qini_high": nullable(Outcome.of(qini + half, codes)),
        "p_value": nullable(p.value),
        "reason": p.value.names(),
    }


def uplift_steps(columns: Columns, alpha: float) -> dict[str, Any]:
    """The curves behind :func:`uplift_rankings`: one row per half an order was tried on and stratum.

    Formula: :func:`qini_ranking`. Arguments as of :func:`uplift_rankings`.
    """
    found = _halves(columns, alpha)
    folds = _folds(found)
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    for learnt, tried, score, curve in folds:
        kept = _enough(found, learnt)[found.group[learnt][curve.order]]
        chosen = curve.order[kept]
        group = found.group[learnt][chosen]
        rank = np.arange(len(group)) - np.searchsorted(group, group) + 1
        values = {
            **{key: found.keys[key][group] for key in _KEYS},
            "tried_half": found.half[tried[chosen]],
            "step_rank": rank.astype(np.float64),
            "stratum": found.stratum[tried[chosen]],
            "unit_count": found.units[tried[chosen]],
            "expected_effect": score[chosen],
            "measured_effect": found.effect[tried[chosen]],
            "measured_error": found.error[tried[chosen]],
            "cumulative_share": curve.cumulative_share[kept],
            "cumulative_gain": curve.cumulative_gain[kept],
            "random_gain": curve.random_gain[kept],
        }
        for name, value in values.items():
            parts.setdefault(name, []).append(value)
    return {name: np.concatenate(values) for name, values in parts.items()}
