"""Scores as rows, for dbt Python models: long inputs in, columns of one table out.

Every function takes the same three tables and scores everything anew (fifty thousand creators take seconds),
because a dbt model returns one table. Days with different reference tables are scored by their own.

- ``creators``: one row per creator and score_date, with score_date (date), creator_id, size_band ('none'
  where unknown). Creators without any input stand here too.
- ``inputs``: one row per creator, score_date and field with a value (double).
- ``reference``: the tables of ``reference.TABLES`` by name, or all their rows as text in one table with
  reference_table and cells (see ``Reference.lines``).
- ``measured`` (optional): one row per action with expected_gain and evidence_grade learnt from outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from plumbline.errors import PlumblineError
from plumbline.frames import numbers
from plumbline.scoring.diagnosis import Cause, Severity, diagnose, peer_percentiles, peer_quartiles
from plumbline.scoring.recommendations import recommend, stopping_rule, week_of
from plumbline.scoring.reference import MILLIONTHS, Catalogue, Floats, Ints, Reference
from plumbline.scoring.scores import Scores, bottlenecks, impossible, levels, score

Columns = dict[str, Any]
NO_DATA = "insufficient data"


@dataclass(frozen=True)
class Scored:
    """All creators of one day.

    Attributes:
        day: of the scores.
        catalogue: valid on it.
        creator_ids: (n,).
        band: (n,) number of the size band, -1 for none.
        band_names: (n,).
        values: inputs (n, fields).
        scores: of them.
        peers: lower quartile of the scores of the peers (n, components).
    """

    day: date
    catalogue: Catalogue
    creator_ids: npt.NDArray[np.object_]
    band: Ints
    band_names: npt.NDArray[np.object_]
    values: Floats
    scores: Scores
    peers: Floats

    @property
    def least(self) -> int:
        """Peers a band needs."""
        return int(self.catalogue.setting("min_peer_count"))


Tables = Mapping[str, pa.Table] | pa.Table


def _reference(tables: Tables) -> Reference:
    return Reference.lines(tables) if isinstance(tables, pa.Table) else Reference.arrow(tables)


def scored_days(
    creators: pa.Table, inputs: pa.Table, reference: Tables, measured: pa.Table | None = None
) -> Iterator[Scored]:
    """Score each day of ``creators``, in order; see the module for the tables.

    Raises:
        PlumblineError: an input is not in creator_inputs, belongs to no row of ``creators``, or cannot be
            (staging quarantines what cannot).
    """
    tables = _reference(reference)
    days = np.array(creators.column("score_date").to_pylist(), dtype=object)
    ids = np.array(creators.column("creator_id").to_pylist(), dtype=object)
    bands = np.array(creators.column("size_band").to_pylist(), dtype=object)
    input_days = np.array(inputs.column("score_date").to_pylist(), dtype=object)
    input_ids = np.array(inputs.column("creator_id").to_pylist(), dtype=object)
    fields = np.array(inputs.column("field").to_pylist(), dtype=object)
    value = numbers(inputs, "value")
    stray = set(input_days.tolist()) - set(days.tolist())
    if stray:
        raise PlumblineError(f"inputs of {min(stray)}, but no creator of that day.")
    for day in sorted(set(days.tolist())):
        catalogue = tables.on(day)
        if measured is not None:
            catalogue = catalogue.with_measured(_gains(measured))
        rows, own = np.flatnonzero(days == day), np.flatnonzero(input_days == day)
        place = {name: n for n, name in enumerate(ids[rows])}
        held = np.full((len(rows), len(catalogue.fields)), np.nan)
        try:
            row = np.array([place[name] for name in input_ids[own]], dtype=np.int64)
            column = np.array([catalogue.field_index[f] for f in fields[own]], dtype=np.int64)
        except KeyError as error:
            raise PlumblineError(f"{error.args[0]} of {day}: unknown creator or input.") from error
        held[row, column] = value[own]
        odd = impossible(catalogue, held)
        if odd.any():
            n, f = np.argwhere(odd)[0]
            raise PlumblineError(
                f"creator {ids[rows][n]} on {day}: {catalogue.fields[f]} cannot be {held[n, f]}.",
                "Quarantine impossible inputs before they are scored.",
            )
        found = score(catalogue, held)
        names = [band.size_band for band in catalogue.bands]
        band = np.array([names.index(b) if b in names else -1 for b in bands[rows]], dtype=np.int64)
        least = int(catalogue.setting("min_peer_count"))
        peers = peer_quartiles(found.components, band, least)
        yield Scored(day, catalogue, ids[rows], band, bands[rows], held, found, peers)


def _gains(measured: pa.Table) -> dict[str, tuple[float, str]]:
    gains = numbers(measured, "expected_gain")
    return {
        str(action): (float(gain), str(grade))
        for action, gain, grade in zip(
            measured.column("action").to_pylist(),
            gains,
            measured.column("evidence_grade").to_pylist(),
            strict=True,
        )
    }


def _joined(parts: list[Columns]) -> Columns:
    """Columns of all days below each other."""
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def _nullable(names: tuple[str, ...], codes: npt.NDArray[np.int8]) -> npt.NDArray[np.object_]:
    return np.asarray(np.array([None, *names], dtype=object)[codes], dtype=object)


def _keys(day: Scored, rows: Ints) -> Columns:
    return {
        "creator_id": day.creator_ids[rows],
        "score_date": np.full(len(rows), day.day, dtype=object),
    }


def _table(make: Callable[[Scored], Columns]) -> Callable[..., Columns]:
    """A function over the days of the three tables; without rows every column is empty."""

    def rows(
        creators: pa.Table,
        inputs: pa.Table,
        reference: Tables,
        measured: pa.Table | None = None,
    ) -> Columns:
        parts = [make(day) for day in scored_days(creators, inputs, reference, measured)]
        return _joined(parts) if parts else _nothing(make, reference)

    rows.__doc__ = make.__doc__
    return rows


def _nothing(make: Callable[[Scored], Columns], reference: Mapping[str, pa.Table]) -> Columns:
    """The columns of a table without a row."""
    latest = max(
        row["valid_from_date"] for row in Reference.arrow(reference).tables["creator_kpis"]
    )
    catalogue = Reference.arrow(reference).on(latest)
    values = np.zeros((0, len(catalogue.fields)))
    found, none = score(catalogue, values), np.zeros(0, dtype=object)
    peers = np.zeros((0, len(catalogue.components)))
    return make(Scored(latest, catalogue, none, np.zeros(0, np.int64), none, values, found, peers))


def _long(day: Scored, width: int) -> tuple[Ints, Ints]:
    """Creator and column of each cell of an (n, width) array, row by row."""
    count = len(day.creator_ids)
    return np.repeat(np.arange(count), width), np.tile(np.arange(width), count)


@_table
def component_rows(day: Scored) -> Columns:
    """One row per creator, score_date, kpi and component: score, peers, headroom and issue.

    Columns: creator_id, score_date, kpi, component, score, kpi_weight, component_weight, headroom,
    peer_p25, is_issue, severity (moderate, severe), cause (threshold, peer_p25), impact, action (of an
    issue), reference_version. Null where there is none.
    """
    catalogue, scores = day.catalogue, day.scores
    issues = diagnose(catalogue, day.values, scores, day.peers)
    row, column = _long(day, len(catalogue.components))
    items = catalogue.components
    kpi_weight = np.array([catalogue.kpis[k].weight / MILLIONTHS for k in catalogue.kpi_of])
    found = issues.found.ravel()
    action = np.array([item.action for item in items], dtype=object)[column]
    action[~found] = None
    return {
        **_keys(day, row),
        "kpi": np.array([item.kpi for item in items], dtype=object)[column],
        "component": np.array([item.component for item in items], dtype=object)[column],
        "score": scores.components.ravel(),
        "kpi_weight": kpi_weight[column],
        "component_weight": np.array([item.weight / MILLIONTHS for item in items])[column],
        "headroom": scores.component_headroom.ravel(),
        "peer_p25": day.peers.ravel(),
        "is_issue": found,
        "severity": _nullable(("moderate", "severe"), issues.severity.ravel()),
        "cause": _nullable(("threshold", "peer_p25"), issues.cause.ravel()),
        "impact": issues.impact.ravel(),
        "action": action,
        "reference_version": np.full(len(row), catalogue.version, dtype=object),
    }


@_table
def kpi_rows(day: Scored) -> Columns:
    """One row per creator, score_date and kpi.

    Columns: creator_id, score_date, kpi, tier, weight, score, coverage, level, headroom, peer_percentile
    (in the size band), bottleneck_rank (null for none), reference_version.
    """
    catalogue, scores = day.catalogue, day.scores
    row, column = _long(day, len(catalogue.kpis))
    rank = np.full(scores.kpis.shape, np.nan)
    for place, kpi in enumerate(bottlenecks(catalogue, scores).T):
        there = np.flatnonzero(kpi >= 0)
        rank[there, kpi[there]] = place + 1
    return {
        **_keys(day, row),
        "kpi": np.array([item.kpi for item in catalogue.kpis], dtype=object)[column],
        "tier": np.array([item.tier for item in catalogue.kpis])[column],
        "weight": np.array([item.weight / MILLIONTHS for item in catalogue.kpis])[column],
        "score": scores.kpis.ravel(),
        "coverage": scores.kpi_coverage.ravel(),
        "level": levels(catalogue, scores.kpis).ravel(),
        "headroom": scores.kpi_headroom.ravel(),
        "peer_percentile": peer_percentiles(scores.kpis, day.band, day.least).ravel(),
        "bottleneck_rank": rank.ravel(),
        "reference_version": np.full(len(row), catalogue.version, dtype=object),
    }


@_table
def tier_rows(day: Scored) -> Columns:
    """One row per creator, score_date and tier: weight, score, coverage, level, reference_version."""
    catalogue, scores = day.catalogue, day.scores
    row, column = _long(day, len(catalogue.tiers))
    weight = [
        sum(item.weight for item in catalogue.kpis if item.tier == tier) / MILLIONTHS
        for tier in catalogue.tiers
    ]
    return {
        **_keys(day, row),
        "tier": np.array(catalogue.tiers)[column],
        "weight": np.array(weight)[column],
        "score": scores.tiers.ravel(),
        "coverage": scores.tier_coverage.ravel(),
        "level": levels(catalogue, scores.tiers).ravel(),
        "reference_version": np.full(len(row), catalogue.version, dtype=object),
    }


@_table
def overall_rows(day: Scored) -> Columns:
    """One row per creator and score_date.

    Columns: creator_id, score_date, size_band, overall_score, coverage, level, equal_weight_score,
    weighting_effect, revenue_focus, peer_percentile, issue_count, status (scored, insufficient data),
    reference_version.
    """
    catalogue, scores = day.catalogue, day.scores
    count = len(day.creator_ids)
    issues = diagnose(catalogue, day.values, scores, day.peers)
    percentile = peer_percentiles(scores.overall[:, None], day.band, day.least)[:, 0]
    return {
        **_keys(day, np.arange(count)),
        "size_band": day.band_names,
        "overall_score": scores.overall,
        "coverage": scores.coverage,
        "level": levels(catalogue, scores.overall),
        "equal_weight_score": scores.equal,
        "weighting_effect": scores.weighting_effect,
        "revenue_focus": scores.revenue_focus,
        "peer_percentile": percentile,
        "issue_count": issues.found.sum(axis=1),
        "status": np.where(np.isnan(scores.overall), NO_DATA, "scored").astype(object),
        "reference_version": np.full(count, catalogue.version, dtype=object),
    }


@_table
def recommendation_rows(day: Scored) -> Columns:
    """One row per recommendation, at most ``max_recommendations`` a creator and score_date.

    Columns: recommendation_id, creator_id, score_date, score_week (2026-W07), place, kpi, component,
    action, title, what_to_do, severity, cause, priority, headroom, confidence, base_gain, effort_hours,
    expected_value_usd, evidence_grade, primary_metric, unit, baseline, minimum_effect, mde_relative,
    sample_size, test_days, is_feasible, plan_reason, stopping_rule, reference_version.
    """
    catalogue = day.catalogue
    issues = diagnose(catalogue, day.values, day.scores, day.peers)
    found = recommend(catalogue, day.values, day.scores, issues, day.creator_ids, day.day)
    items = [catalogue.components[c] for c in found.component]
    actions = [catalogue.actions[name] for name in found.action]
    count = len(items)

    def texts(values: list[str]) -> npt.NDArray[np.object_]:
        return np.array(values, dtype=object)

    return {
        "recommendation_id": found.recommendation_id,
        **_keys(day, found.creator),
        "score_week": np.full(count, week_of(day.day), dtype=object),
        "place": found.place,
        "kpi": texts([item.kpi for item in items]),
        "component": texts([item.component for item in items]),
        "action": found.action,
        "title": texts([action.title for action in actions]),
        "what_to_do": texts(["; ".join(action.what_to_do) for action in actions]),
        "severity": _nullable(
            tuple(name.name.lower() for name in Severity if name),
            issues.severity[found.creator, found.component],
        ),
        "cause": _nullable(
            tuple(name.name.lower() for name in Cause if name),
            issues.cause[found.creator, found.component],
        ),
        "priority": found.priority,
        "headroom": found.headroom,
        "confidence": found.confidence,
        "base_gain": found.base_gain,
        "effort_hours": found.effort_hours,
        "expected_value_usd": found.value,
        "evidence_grade": texts([action.evidence_grade for action in actions]),
        "primary_metric": texts([action.primary_metric for action in actions]),
        "unit": texts([action.unit for action in actions]),
        "baseline": found.baseline,
        "minimum_effect": found.minimum_effect,
        "mde_relative": np.array([action.mde_relative for action in actions], dtype=np.float64),
        "sample_size": found.sample_size,
        "test_days": found.test_days,
        "is_feasible": found.is_feasible,
        "plan_reason": found.plan_reason,
        "stopping_rule": texts(
            [
                stopping_rule(catalogue, action, days)
                for action, days in zip(actions, found.test_days, strict=True)
            ]
        ),
        "reference_version": np.full(count, catalogue.version, dtype=object),
    }
