"""Scores of creators: inputs to components, KPIs, tiers and overall, missing values left out.

Estimand: how much of what is possible a creator reaches, 0 to 1. A component is a transform of its
inputs, mostly N(x; a, b) = clip((x - a) / (b - a), 0, 1). A KPI is the weighted mean of its components that
were observed, overall that of the KPIs that were; neither exists with less than half of its weight observed.
Headroom is w (1 - S), w over observed weight: it adds up to 1 - overall.

Every sum runs column by column in the order of the catalogue, and weights are whole millionths: one creator
alone and the same one among fifty thousand get the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plumbline.scoring.reference import MILLIONTHS, Catalogue, Floats, Group, Sums

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """Scores of n creators; NaN where there is none.

    Attributes:
        components: (n, components) in the order of the catalogue.
        kpis: (n, KPIs).
        kpi_coverage: (n, KPIs) share of the weight of the components that was observed.
        tiers: (n, tiers) weighted mean of the KPIs of a tier, by the same rule as a KPI.
        tier_coverage: (n, tiers).
        overall: (n,).
        coverage: (n,) share of the weight of all KPIs that was observed.
        equal: (n,) mean of the same KPIs with equal weights.
        weighting_effect: (n,) overall - equal. Not an improvement: which weights are better it cannot say.
        revenue_focus: (n,) share of the overall score that is earned on KPIs marked as revenue.
        kpi_headroom: (n, KPIs) in points of the overall score.
        component_headroom: (n, components) in points of the overall score.
    """

    components: Floats
    kpis: Floats
    kpi_coverage: Floats
    tiers: Floats
    tier_coverage: Floats
    overall: Floats
    coverage: Floats
    equal: Floats
    weighting_effect: Floats
    revenue_focus: Floats
    kpi_headroom: Floats
    component_headroom: Floats


_ROUNDING = 1e-12


def normalised(x: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """N(x; low, high) = clip((x - low) / (high - low), 0, 1); NaN where high is not above low."""
    width = np.asarray(high - low, dtype=np.float64)
    usable = width > 0
    share = (x - low) / np.where(usable, width, 1.0)
    return np.where(usable, np.clip(share, 0.0, 1.0), np.nan)


def _over(a: Floats, b: Floats) -> Floats:
    """a / b, NaN where b is not above 0: without a denominator there is no ratio."""
    usable = b > 0
    # Next to nothing below gives infinity, which every transform cuts to its best score.
    with np.errstate(over="ignore"):
        return np.where(usable, a / np.where(usable, b, 1.0), np.nan)


def _balance(parts: list[Floats], ideal: Floats) -> Floats:
    total = np.zeros_like(parts[0])
    for part in parts:
        total = total + part
    apart = np.zeros_like(total)
    for part, wanted in zip(parts, ideal, strict=True):
        apart = apart + np.abs(_over(part, total) - wanted)
    # Shares that differ from the ideal by rounding are the ideal.
    apart = np.where(apart < _ROUNDING, 0.0, apart)
    return np.maximum(0.0, 1.0 - apart / 2.0)


# Transform -> scores (n, components of the group) from the group, its inputs and its targets.
_TRANSFORMS: dict[str, Callable[[Group, list[Floats], Floats], Floats]] = {
    "linear": lambda g, x, target: normalised(x[0], g.low, g.high),
    "linear_to_target": lambda g, x, target: normalised(x[0], g.low, target),
    "identity": lambda g, x, target: np.clip(x[0], 0.0, 1.0),
    "complement": lambda g, x, target: np.clip(1.0 - x[0], 0.0, 1.0),
    "ratio_min_1": lambda g, x, target: np.minimum(_over(x[0], x[1]), 1.0),
    "target_over": lambda g, x, target: normalised(_over(target, x[0]), g.low, g.high),
    "balance": lambda g, x, target: _balance(x, g.ideal),
}


def impossible(catalogue: Catalogue, values: Floats) -> Bools:
    """Which inputs (n, fields) cannot be: outside what ``creator_inputs`` allows, or infinite."""
    low, high = catalogue.limits
    # NaN is a missing input, and compares as false.
    return np.asarray((values < low) | (values > high))


def component_scores(catalogue: Catalogue, values: Floats) -> Floats:
    """Scores (n, components) of inputs (n, fields); NaN where an input of the component is missing.

    Targets that nobody agreed on have their default.
    """
    filled = np.array(values, dtype=np.float64, copy=True)
    places, defaults = catalogue.defaults
    given = filled[:, places]
    filled[:, places] = np.where(np.isnan(given), defaults, given)
    found = np.empty((len(filled), len(catalogue.components)))
    for group in catalogue.groups:
        inputs = [filled[:, own] for own in group.fields]
        found[:, group.components] = _TRANSFORMS[group.transform](
            group, inputs, filled[:, group.targets]
        )
    return found


@dataclass(frozen=True)
class _Means:
    """Weighted means (n, means) with the weight that was observed, in millionths, and its share."""

    values: Floats
    seen: Ints
    coverage: Floats


def _means(scores: Floats, sums: Sums, least: Sequence[float]) -> _Means:
    """Means of columns that were observed; NaN with less than ``least`` of the weight of each."""
    shape = (len(scores), len(sums.columns))
    seen, points = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    # One column of every mean at a time: the order of each sum is that of the catalogue.
    for columns, weights in zip(sums.columns.T, sums.weights.T, strict=True):
        held = scores[:, columns]
        there = ~np.isnan(held)
        seen += np.where(there, weights, 0)
        points += np.where(there, weights * held, 0.0)
    total = sums.weights.sum(axis=1)
    shares = np.array([round(share * MILLIONTHS) for share in least])
    enough = (seen > 0) & (seen * MILLIONTHS >= shares * total)
    values = np.where(enough, points / np.where(seen > 0, seen, 1), np.nan)
    return _Means(values, seen, seen / np.maximum(total, 1))


def score(catalogue: Catalogue, values: npt.ArrayLike) -> Scores:
    """Scores of n creators.

    Args:
        catalogue: what is valid on the day.
        values: inputs (n, fields) in the order of ``catalogue.fields``; NaN is missing.

    Raises:
        ValueError: an input cannot be (see ``impossible``): it would be clipped into a good score.
    """
    held = np.asarray(values, dtype=np.float64).reshape(-1, len(catalogue.fields))
    if (odd := impossible(catalogue, held)).any():
        names = [catalogue.fields[place] for place in np.flatnonzero(odd.any(axis=0))]
        raise ValueError(f"impossible inputs: {', '.join(names)}")
    parts = component_scores(catalogue, held)
    least = catalogue.setting("min_kpi_coverage")
    kpis = _means(parts, catalogue.kpi_sums, [least] * len(catalogue.kpis))
    tiers = len(catalogue.tiers)
    enough = [*[least] * tiers, catalogue.setting("min_overall_coverage"), 0.0]
    top = _means(kpis.values, catalogue.top_sums, enough)
    overall = top.values[:, tiers].copy()
    scored = ~np.isnan(overall)
    equal = np.where(scored, top.values[:, tiers + 1], np.nan)
    kpi_headroom, part_headroom = _headroom(catalogue, parts, kpis, top.seen[:, tiers], scored)
    return Scores(
        components=parts,
        kpis=kpis.values,
        kpi_coverage=kpis.coverage,
        tiers=top.values[:, :tiers].copy(),
        tier_coverage=top.coverage[:, :tiers].copy(),
        overall=overall,
        coverage=top.coverage[:, tiers].copy(),
        equal=equal,
        weighting_effect=overall - equal,
        revenue_focus=_revenue_focus(catalogue, kpis.values, scored),
        kpi_headroom=kpi_headroom,
        component_headroom=part_headroom,
    )


def _headroom(
    catalogue: Catalogue, parts: Floats, kpis: _Means, seen: Ints, scored: Bools
) -> tuple[Floats, Floats]:
    """w (1 - S) of KPIs and components, w over observed weight; NaN without an overall score."""
    weights = np.array([item.weight for item in catalogue.kpis])
    part_weights = np.array([item.weight for item in catalogue.components])
    share = np.where(scored[:, None], weights / np.maximum(seen, 1)[:, None], np.nan)
    # A component of a KPI without a score is not part of the overall score: no headroom.
    counted = np.where(np.isnan(kpis.values), np.nan, share)
    own_seen = np.maximum(kpis.seen, 1)
    owner = catalogue.kpi_of
    of_part = counted[:, owner] * (part_weights / own_seen[:, owner]) * (1.0 - parts)
    return share * (1.0 - kpis.values), of_part


def _revenue_focus(catalogue: Catalogue, kpis: Floats, scored: Bools) -> Floats:
    """Points of the KPIs marked as revenue / points of all KPIs; NaN where there are none."""
    revenue, points = np.zeros(len(kpis)), np.zeros(len(kpis))
    for place, item in enumerate(catalogue.kpis):
        part = np.where(np.isnan(kpis[:, place]), 0.0, item.weight * kpis[:, place])
        points = points + part
        revenue = revenue + (part if item.is_revenue else 0.0)
    return np.where(scored & (points > 0), revenue / np.where(points > 0, points, 1.0), np.nan)


def levels(catalogue: Catalogue, scores: Floats) -> npt.NDArray[np.object_]:
    """Name of the level of each score, None where there is none; any shape."""
    bounds = np.array([item.min_score for item in catalogue.levels])
    names = np.array([None, *(item.level for item in catalogue.levels)], dtype=object)
    known = np.where(np.isnan(scores), -1.0, scores)
    return np.asarray(names[np.searchsorted(bounds, known, side="right")], dtype=object)


def bottlenecks(catalogue: Catalogue, scores: Scores) -> Ints:
    """Places of the KPIs with most headroom (n, ``bottleneck_count``), greatest first; -1 for none left.

    Ties go to the KPI that stands first in the catalogue.
    """
    wanted = min(int(catalogue.setting("bottleneck_count")), len(catalogue.kpis))
    room = np.where(np.isnan(scores.kpi_headroom), 0.0, scores.kpi_headroom)
    order = np.argsort(-room, axis=1, kind="stable")[:, :wanted]
    return np.where(np.take_along_axis(room, order, axis=1) > 0, order, -1)


def size_bands(catalogue: Catalogue, followers: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Name of the size band of each number of followers, None where it is unknown (NaN)."""
    count = np.asarray(followers, dtype=np.float64)
    found = np.full(count.shape, None, dtype=object)
    for band in catalogue.bands:
        found[(count >= band.min_follower_count) & (count < band.below_follower_count)] = (
            band.size_band
        )
    return found
