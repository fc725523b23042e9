"""From sums over the units of two arms to every view of their difference, for all cells at once.

Columns come in as arrays by name, one row per cell: keys, what the metric is, and for ``control_`` and
``treatment_`` the counts and sums of ``paired_arms``. Sums are of values less a whole number near their mean
(``*_pivot``), so that nothing cancels. Letters: y numerator, d denominator, x and z the same before exposure,
k the numerator with large values cut off; ``sum_yx`` is the sum of products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plumbline.statistics.covariates import (
    adjust_means,
    adjust_ratios,
    variance_reduction,
)
from plumbline.statistics.means import (
    RelativeMethod,
    Summary,
    compare_means,
    normal_posterior,
    summarise_counts,
    summarise_mean,
)
from plumbline.statistics.moments import Moments, clt_weak, two_sum
from plumbline.statistics.multiplicity import benjamini_hochberg, holm
from plumbline.statistics.outcomes import Bools, Codes, Floats, Ints, Outcome, Reason
from plumbline.statistics.proportion_tests import newcombe_interval, two_proportion_z
from plumbline.statistics.proportions import compare_proportions
from plumbline.statistics.quantiles import summarise_quantile
from plumbline.statistics.ratios import summarise_ratio
from plumbline.statistics.stratified import merge_into_smallest, merge_thin, stratified_summaries

Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]
BINARY = ("proportion", "retention", "threshold")
# Cells that are no segments: the mixture arms are given alike, and its two random halves.
STRATUM, HALF = "stratum", "half"
# Below this many units an arm the delta method of a ratio that also estimates a slope is too narrow.
FEWEST_RATIO_UNITS = 30
PIVOTS = {
    "y": "numerator",
    "d": "denominator",
    "x": "before_numerator",
    "z": "before_denominator",
    "k": "numerator",
}
_ORDER = "ydxzk"


def rows(columns: Columns, kept: Bools) -> dict[str, npt.NDArray[Any]]:
    """The rows of all columns where ``kept`` is true."""
    return {name: values[kept] for name, values in columns.items()}


def moments_of(columns: Columns, arm: str, letters: str) -> Moments:
    """Moments of the variables named by ``letters``, shape (cells,), in published units.

    Formulas, with S the sums about the pivot p: mean = p + S_i / n, kept as a rounded part and a rest;
    products S_ij - S_i S_j / n; cubes S_iii - 3 m S_ii + 2 n m^3 with m = S_i / n. Numerators (y, x, k) are
    divided by ``scale``. Cubes are given for y and k, and 0 for the others.

    Args:
        columns: see the module.
        arm: ``control`` or ``treatment``.
        letters: variables in the wanted order, as ``yx``.
    """
    n = columns[f"{arm}_unit_count"]
    size = np.maximum(n, 1.0)
    scale = {letter: columns["scale"] if letter in "yxk" else np.ones(len(n)) for letter in letters}
    sums = {letter: columns[f"{arm}_sum_{letter}"] for letter in letters}
    mean = np.stack([columns[f"{PIVOTS[v]}_pivot"] / scale[v] for v in letters], axis=-1)
    rest = np.stack([sums[v] / size / scale[v] for v in letters], axis=-1)
    products = np.empty((len(n), len(letters), len(letters)))
    cubes = np.zeros((len(n), len(letters)))
    for i, first in enumerate(letters):
        for j, second in enumerate(letters):
            pair = "".join(sorted(first + second, key=_ORDER.index))
            centred = columns[f"{arm}_sum_{pair}"] - sums[first] * sums[second] / size
            products[:, i, j] = centred / (scale[first] * scale[second])
        products[:, i, i] = np.maximum(products[:, i, i], 0.0)
        if first in "yk":
            m = sums[first] / size
            squares = columns[f"{arm}_sum_{first * 2}"]
            third = columns[f"{arm}_sum_{first * 3}"] - 3 * m * squares + 2 * n * m**3
            cubes[:, i] = third / scale[first] ** 3
    return Moments(n.astype(np.int64), *two_sum(mean, rest), products, cubes)


def groups_of(
    columns: Columns, keys: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows that agree in some columns: the first row of each group, and the group of each row.

    Groups are numbered in the order of their keys as text.
    """
    names = ["\x1f".join(map(str, key)) for key in zip(*(columns[k] for k in keys), strict=True)]
    _, first, group = np.unique(np.array(names, dtype=str), return_index=True, return_inverse=True)
    return first, np.asarray(group.ravel(), np.int64)


@dataclass(frozen=True)
class Effects:
    """Views of treatment against control, arrays of shape (cells,); NaN and None where undefined.

    Attributes:
        method: plain, capped (large values cut off), adjusted (by use before exposure) or stratified (arms
            given the same mixture of strata).
        control_numerator, control_denominator, treatment_numerator, treatment_denominator: sums whose ratio
            is the value; of adjusted rows those before the adjustment, none for quantiles.
        control_value, treatment_value, difference: in units of the metric, and their standard errors.
        difference_low, difference_high: interval of the difference.
        relative_difference, relative_low, relative_high, relative_method: over the control.
        log_ratio, log_ratio_error: log of the ratio of the values, where both are clearly above 0.
        p_value, p_value_log10: two-sided, for one look.
        probability_better, loss_if_shipped, loss_if_kept: posterior, in the good direction.
        credible_low, credible_high: posterior interval of the relative difference of shares.
        variance_reduction: of adjusted rows.
        is_clt_weak: too few units for the skewness of the values (of a ratio, of its numerators).
        direction: gain, harm or none, by the sign of the difference and the good direction.
        reason, relative_reason: why there is no p-value, or no relative difference.
    """

    row: npt.NDArray[np.int64]
    method: npt.NDArray[np.object_]
    control_numerator: Floats
    control_denominator: Floats
    treatment_numerator: Floats
    treatment_denominator: Floats
    control_value: Floats
    treatment_value: Floats
    control_standard_error: Floats
    treatment_standard_error: Floats
    difference: Floats
    standard_error: Floats
    difference_low: Floats
    difference_high: Floats
    relative_difference: Floats
    relative_low: Floats
    relative_high: Floats
    relative_method: npt.NDArray[np.object_]
    log_ratio: Floats
    log_ratio_error: Floats
    p_value: Floats
    p_value_log10: Floats
    probability_better: Floats
    loss_if_shipped: Floats
    loss_if_kept: Floats
    credible_low: Floats
    credible_high: Floats
    variance_reduction: Floats
    is_clt_weak: Bools
    direction: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]
    relative_reason: npt.NDArray[np.object_]


def counts_of(columns: Columns) -> tuple[Floats, Floats, Floats, Floats]:
    """Users and successes of the control, then of the treatment."""
    n_c, s_c, n_t, s_t = (
        columns[f"{arm}_{name}"]
        for arm in ("control", "treatment")
        for name in ("unit_count", "nonzero_count")
    )
    return n_c, s_c, n_t, s_t


def nullable(outcome: Outcome) -> Floats:
    """Values with NaN where they are undefined, for :func:`plumbline.frames.write`."""
    return np.where(outcome.defined, outcome.values, np.nan)


def _bound(values: Floats, reasons: Any) -> Floats:
    return np.where(np.asarray(reasons) == Reason.DEFINED, values, np.nan)


def _totals(columns: Columns, arm: str, letter: str, kind: str) -> tuple[Floats, Floats]:
    n = columns[f"{arm}_unit_count"]
    if kind == "quantile":
        return np.full(len(n), np.nan), np.full(len(n), np.nan)
    top = columns[f"{PIVOTS[letter]}_pivot"] * n + columns[f"{arm}_sum_{letter}"]
    if kind == "ratio":
        bottom = columns["denominator_pivot"] * n + columns[f"{arm}_sum_d"]
        return top / columns["scale"], bottom
    if kind == "participation":
        return top, n * columns["scale"]
    return top / columns["scale"], n


def _effects(
    columns: Columns,
    row: npt.NDArray[np.int64],
    method: str,
    kind: str,
    letter: str,
    arms: tuple[Summary, Summary],
    weak: Bools,
    reduction: Outcome | None,
    alpha: float,
) -> Effects:
    """Views of summaries; shares get their exact posterior and tests in place of the normal ones."""
    control, treatment = arms
    compared = compare_means(control, treatment, alpha, kind != "ratio")
    posterior = normal_posterior(compared.difference, compared.standard_error, 0.0, 0.0)
    size = len(row)
    p, low, high = compared.p, compared.interval.low, compared.interval.high
    values = [_bound(arm.estimate + arm.rest, arm.reasons) for arm in arms]
    difference = nullable(compared.difference)
    inside = compared.interval.reasons
    better, worse = (
        nullable(posterior.probability_of_better),
        nullable(posterior.probability_of_worse),
    )
    shipped, kept = nullable(posterior.loss_if_shipped), nullable(posterior.loss_if_kept)
    credible = np.full((2, size), np.nan)
    totals = {arm: _totals(columns, arm, letter, kind) for arm in ("control", "treatment")}
    if kind in BINARY and method == "plain":
        counts = counts_of(columns)
        tested = two_proportion_z(*counts)
        p = tested.p
        newcombe = newcombe_interval(*counts, alpha)
        low, high, inside = newcombe.low, newcombe.high, newcombe.reasons
        # A share needs one unit, an error of a mean two.
        values = [counts[1] / np.maximum(counts[0], 1), counts[3] / np.maximum(counts[2], 1)]
        difference = nullable(tested.difference)
        beta = compare_proportions(*counts, 1.0, 1.0, (alpha / 2, 1 - alpha / 2))
        better, worse = beta.probability_of_better, beta.probability_of_worse
        shipped, kept = beta.loss_if_shipped, beta.loss_if_kept
        credible = beta.relative_quantiles
    up = columns["good_direction"] != "down"
    signed = np.nan_to_num(difference) * np.where(up, 1.0, -1.0)
    direction = np.select([signed > 0, signed < 0], ["gain", "harm"], "none").astype(object)
    names = {code: method.name.lower() for code, method in enumerate(RelativeMethod)}
    return Effects(
        row=row,
        method=np.full(size, method, dtype=object),
        control_numerator=totals["control"][0],
        control_denominator=totals["control"][1],
        treatment_numerator=totals["treatment"][0],
        treatment_denominator=totals["treatment"][1],
        control_value=values[0],
        treatment_value=values[1],
        control_standard_error=_bound(np.sqrt(control.squared_error), control.reasons),
        treatment_standard_error=_bound(np.sqrt(treatment.squared_error), treatment.reasons),
        difference=difference,
        standard_error=nullable(compared.standard_error),
        difference_low=_bound(low, inside),
        difference_high=_bound(high, inside),
        relative_difference=nullable(compared.relative),
        relative_low=_bound(compared.relative_interval.low, compared.relative_interval.reasons),
        relative_high=_bound(compared.relative_interval.high, compared.relative_interval.reasons),
        relative_method=np.array(
            [names[int(code)] for code in compared.relative_method], dtype=object
        ),
        log_ratio=nullable(compared.log_ratio),
        log_ratio_error=nullable(compared.log_ratio_error),
        p_value=nullable(p.value),
        p_value_log10=nullable(p.log10),
        probability_better=np.where(up, better, worse),
        loss_if_shipped=np.where(up, shipped, kept),
        loss_if_kept=np.where(up, kept, shipped),
        credible_low=credible[0],
        credible_high=credible[1],
        variance_reduction=np.full(size, np.nan) if reduction is None else nullable(reduction),
        is_clt_weak=weak,
        direction=direction,
        reason=p.value.names(),
        relative_reason=compared.relative.names(),
    )


def _is_weak(control: Moments, treatment: Moments) -> Bools:
    found = np.zeros(len(control.n), dtype=np.bool_)
    for arm in (control, treatment):
        skewness = arm.skewness(0)
        found |= skewness.defined & clt_weak(arm.n, skewness.values)
    return found


def _pair(columns: Columns, letters: str) -> tuple[Moments, Moments]:
    return moments_of(columns, "control", letters), moments_of(columns, "treatment", letters)


def _plain(columns: Columns, kind: str, alpha: float) -> tuple[tuple[Summary, Summary], Bools]:
    """Summaries of both arms and whether the normal approximation is weak."""
    none = np.zeros(len(columns["scale"]), dtype=np.bool_)
    if kind in BINARY:
        summaries = [
            summarise_counts(columns[f"{arm}_unit_count"], columns[f"{arm}_nonzero_count"])
            for arm in ("control", "treatment")
        ]
        return (summaries[0], summaries[1]), none
    if kind == "quantile":
        return (_quantile(columns, "control", alpha), _quantile(columns, "treatment", alpha)), none
    if kind == "ratio":
        control, treatment = _pair(columns, "yd")
        weak = _is_weak(control, treatment)
        return (summarise_ratio(control), summarise_ratio(treatment)), weak
    control, treatment = _pair(columns, "y")
    weak = _is_weak(control, treatment)
    return (summarise_mean(control), summarise_mean(treatment)), weak


def _quantile(columns: Columns, arm: str, alpha: float) -> Summary:
    n = columns[f"{arm}_unit_count"]
    point, low, high = (
        columns[f"{arm}_quantile_{name}"] / columns["scale"] for name in ("value", "low", "high")
    )
    missing = np.isnan(low) | np.isnan(high)
    found = summarise_quantile(
        n, n, np.nan_to_num(point), np.where(missing, 0.0, low), np.where(missing, 0.0, high), alpha
    )
    reasons = np.where(missing, np.int8(Reason.TOO_FEW_USERS), found.reasons).astype(np.int8)
    return Summary(found.n, found.estimate, found.rest, found.variance, reasons)


def _adjusted(columns: Columns, kind: str) -> tuple[Summary, Summary, Outcome]:
    """Arms adjusted by use before exposure, and what that takes off the variance."""
    if kind != "ratio":
        found = adjust_means(*_pair(columns, "yx"))
        return found.control, found.treatment, found.variance_reduction
    found = adjust_ratios(*_pair(columns, "ydxz"))
    few = (found.control.n < FEWEST_RATIO_UNITS) | (found.treatment.n < FEWEST_RATIO_UNITS)

    def codes(given: Codes) -> Codes:
        return np.where((given == 0) & few, np.int8(Reason.TOO_FEW_USERS), given).astype(np.int8)

    reduction = found.variance_reduction
    return (
        replace(found.control, reasons=codes(found.control.reasons)),
        replace(found.treatment, reasons=codes(found.treatment.reasons)),
        Outcome.of(reduction.values, codes(reduction.reasons)),
    )


def complete_strata(columns: Columns, strata: Columns) -> tuple[dict[str, npt.NDArray[Any]], Ints]:
    """Strata of cells that hold all their units, each with two units in either arm where that can be had.

    What a cell has beyond its strata (units of strata that one arm lacks) is a stratum of its own: sums are
    taken from the same whole numbers, so that they can be subtracted. Thin strata are put together with it,
    and if it is thin still, with the smallest other one.

    Args:
        columns: cells of all units, one row per experiment, phase, variation, metric and cohort.
        strata: rows of the same with segment_key stratum.

    Returns:
        Columns of one row per cell and stratum, and the cell (row of ``columns``) of each.
    """
    names = ("experiment_id", "phase", "variation_id", "metric", "cohort")
    place = {
        key: row for row, key in enumerate(zip(*(columns[name] for name in names), strict=True))
    }
    cell = np.array(
        [place.get(key, -1) for key in zip(*(strata[name] for name in names), strict=True)],
        dtype=np.int64,
    )
    part, cell = rows(strata, cell >= 0), cell[cell >= 0]
    chosen = np.unique(cell)
    whole = rows(columns, np.isin(np.arange(len(columns["kind"])), chosen))
    position = np.searchsorted(chosen, cell)
    rest = {
        name: values - np.bincount(position, part[name], len(chosen)) if _adds(name) else values
        for name, values in whole.items()
    }
    held = {name: np.concatenate([part[name], rest[name]]) for name in part}
    cell = np.concatenate([cell, chosen])
    label = np.concatenate([np.arange(len(position)), np.full(len(chosen), -1)]).astype(np.int64)
    for merge in (merge_thin, merge_into_smallest):
        label = merge(label, cell, held["control_unit_count"], held["treatment_unit_count"])
        held, cell, label = _added(held, cell, label)
    return held, cell


def _adds(name: str) -> bool:
    return name.endswith("_count") or "_sum_" in name


def _added(
    columns: Columns, cell: Ints, label: Ints
) -> tuple[dict[str, npt.NDArray[Any]], Ints, Ints]:
    """Rows of one cell and label as one row: counts and sums added, the rest taken from the first."""
    pairs, first, group = np.unique(
        np.stack([cell, label], axis=1), axis=0, return_index=True, return_inverse=True
    )
    held = {
        name: np.bincount(group.ravel(), values, len(pairs)) if _adds(name) else values[first]
        for name, values in columns.items()
    }
    return held, pairs[:, 0], pairs[:, 1]


def _stratified(
    columns: Columns, strata: Columns, row: Ints, kind: str, weak: Bools, alpha: float
) -> Effects | None:
    """Views with the arms' mixtures of strata made equal; none where no cell has strata."""
    held, cell = complete_strata(columns, strata)
    if not len(cell):
        return None
    chosen, cells = np.unique(cell, return_inverse=True)
    some = rows(columns, np.isin(np.arange(len(row)), chosen))
    units = (some["control_unit_count"], some["treatment_unit_count"])
    letters = "yd" if kind == "ratio" else "y"
    arms = stratified_summaries(*_pair(held, letters), cells.ravel(), units, kind == "ratio")
    plain, _ = _plain(some, kind, alpha)
    codes = np.where(arms[0].reasons != 0, arms[0].reasons, plain[0].reasons)
    codes = np.where(codes != 0, codes, plain[1].reasons).astype(np.int8)
    reduction = variance_reduction(plain, arms, codes)
    return _effects(
        some, row[chosen], "stratified", kind, "y", arms, weak[chosen], reduction, alpha
    )


def _joined(parts: list[Effects]) -> Effects:
    return Effects(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Effects)
        }
    )


def compare_cells(columns: Columns, alpha: float, strata: Columns | None = None) -> Effects:
    """Every view of every cell: by cell, and within one plain, capped, adjusted, stratified.

    Estimand: difference of treatment and control in shares, means, ratios or quantiles per unit. Models
    and formulas are those of ``proportions`` and ``proportion_tests`` (proportion, retention, threshold),
    ``means`` (mean, participation), ``ratios`` and ``quantiles``; capped views cut values at ``cap``;
    adjusted views take out what use before exposure explains (``covariates``). Shares are tested by the
    pooled z test. Ratios of fewer than ``FEWEST_RATIO_UNITS`` units an arm are not adjusted. Stratified
    views (``stratified``) are of all units, and none of quantiles.

    Args:
        columns: see the module.
        alpha: error of all intervals; quantile bounds must have been read for the same.
        strata: rows of strata of the same cells.
    """
    parts: list[Effects] = []
    number = np.arange(len(columns["kind"]))
    # Without any cell the views of one kind are made all the same, empty.
    for kind in sorted(set(columns["kind"].tolist())) or ["ratio"]:
        of_kind = columns["kind"] == kind
        some, row = rows(columns, of_kind), number[of_kind]
        summaries, weak = _plain(some, kind, alpha)
        parts.append(_effects(some, row, "plain", kind, "y", summaries, weak, None, alpha))
        if kind in ("mean", "participation"):
            capped = (some["is_capped"] > 0) & ~np.isnan(some["cap"])
            if capped.any():
                part = rows(some, capped)
                control, treatment = _pair(part, "k")
                parts.append(
                    _effects(
                        part,
                        row[capped],
                        "capped",
                        kind,
                        "k",
                        (summarise_mean(control), summarise_mean(treatment)),
                        _is_weak(control, treatment),
                        None,
                        alpha,
                    )
                )
        if kind != "quantile":
            control_arm, treatment_arm, reduction = _adjusted(some, kind)
            arms = (control_arm, treatment_arm)
            parts.append(_effects(some, row, "adjusted", kind, "y", arms, weak, reduction, alpha))
            if strata is not None:
                of_all = some["segment_key"] == "all"
                whole = rows(some, of_all)
                found = _stratified(whole, strata, row[of_all], kind, weak[of_all], alpha)
                parts += [found] if found else []
    joined = _joined(parts)
    rank = {"plain": 0, "capped": 1, "adjusted": 2, "stratified": 3}
    order = np.lexsort((np.array([rank[method] for method in joined.method]), joined.row))
    return Effects(**{field.name: getattr(joined, field.name)[order] for field in fields(Effects)})


def adjusted_p_values(
    p_values: Floats, families: npt.NDArray[Any], is_tested_together: Bools
) -> Floats:
    """p-values corrected within families; NaN stays NaN and is in no family.

    Where ``is_tested_together`` (goals and guardrails) any false call is to be avoided: Holm. Elsewhere
    (secondary metrics) the share of false calls: Benjamini and Hochberg.

    Args:
        p_values: shape (tests,).
        families: a label for each test.
        is_tested_together: which correction.
    """
    result = np.full(len(p_values), np.nan)
    adjust: tuple[tuple[Bools, Callable[..., Floats]], ...] = (
        (is_tested_together, holm),
        (~is_tested_together, benjamini_hochberg),
    )
    for chosen, method in adjust:
        used = chosen & ~np.isnan(p_values)
        if used.any():
            _, family = np.unique(families[used], return_inverse=True)
            result[used] = method(p_values[used], family.ravel())
    return result


def results(columns: Columns, alpha: float) -> dict[str, Any]:
    """Columns of one row per cell and view: keys, counts of units, :class:`Effects`, corrected p-values.

    A family is an experiment's cells of one cohort, view and kind of segment. Strata are no segments: they
    give the stratified views.

    Args:
        columns: see the module, with the keys experiment_id, phase, variation_id, control_variation_id,
            metric, segment_key, segment_value, cohort and role.
        alpha: error of intervals.
    """
    keys = (
        "experiment_id",
        "phase",
        "variation_id",
        "control_variation_id",
        "metric",
        "segment_key",
        "segment_value",
        "cohort",
        "kind",
        "role",
        "is_primary",
    )
    strata = rows(columns, columns["segment_key"] == STRATUM)
    columns = rows(columns, ~np.isin(columns["segment_key"], (STRATUM, HALF)))
    effects = compare_cells(columns, alpha, strata)
    found: dict[str, Any] = {key: columns[key][effects.row] for key in keys}
    for arm in ("control", "treatment"):
        found[f"{arm}_unit_count"] = columns[f"{arm}_unit_count"][effects.row]
    for field in fields(Effects):
        if field.name != "row":
            found[field.name] = getattr(effects, field.name)
    _, family = groups_of(found, ("experiment_id", "phase", "cohort", "segment_key", "method"))
    together = found["role"] != "secondary"
    found["adjusted_p_value"] = adjusted_p_values(effects.p_value, family, together)
    found["adjustment"] = np.where(together, "holm", "benjamini_hochberg").astype(object)
    return found
