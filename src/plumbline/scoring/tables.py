"""Scores of all creators week by week, from the tables of the warehouse to the rows of its models.

Every function takes the same tables and gives the columns of one dbt Python model:

- ``inputs``: one row per creator and week end, sorted by (week_end_date, creator_id), with one column for
  each input that comes from daily facts or from the creator's record, and size_band;
- ``judged``: one row per creator, attribute and period (valid_from_date up to, not with, valid_to_date);
- ``cells``: the reference tables as (table_name, row_key, column_name, cell).

A week is scored by what was valid at its end. Inputs that cannot be are left out, never clipped, and listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from plumbline.frames import numbers, read, scan
from plumbline.scoring.diagnosis import (
    Cause,
    Issues,
    Severity,
    diagnose,
    peer_percentiles,
    peer_quartiles,
)
from plumbline.scoring.recommendations import recommend, stopping_rule, week_of
from plumbline.scoring.reference import MILLIONTHS, TABLES, Catalogue, Floats, Ints, Reference
from plumbline.scoring.scores import Scores, bottlenecks, impossible, levels, score

Columns = dict[str, Any]
Bools = npt.NDArray[np.bool_]
INSUFFICIENT = "insufficient data"
# Counted from the judgements themselves.
JUDGEMENTS = "assessment_count"


@dataclass(frozen=True)
class Week:
    """Creators at one week end.

    Attributes:
        day: last day of the trailing window.
        catalogue: valid on it.
        ids: creators, in ascending order.
        bands: size band of each.
        given: inputs (n, fields) as they came; NaN is missing.
        since: day (ordinal) from which each assessed input holds (n, fields); 0 for others.
    """

    day: date
    catalogue: Catalogue
    ids: pa.Array
    bands: pa.Array
    given: Floats
    since: Ints

    @cached_property
    def rejected(self) -> Bools:
        """Inputs that cannot be."""
        return impossible(self.catalogue, self.given)

    @cached_property
    def values(self) -> Floats:
        """Inputs that are scored."""
        return np.where(self.rejected, np.nan, self.given)

    @cached_property
    def scores(self) -> Scores:
        """Scores of ``values``."""
        return score(self.catalogue, self.values)

    @cached_property
    def band(self) -> Ints:
        """Number of the size band of each creator, -1 where it is unknown."""
        names = pa.array([band.size_band for band in self.catalogue.bands], pa.string())
        found = pc.index_in(self.bands, value_set=names)
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)

    @property
    def least(self) -> int:
        """Peers a band needs before it is compared with."""
        return int(self.catalogue.setting("min_peer_count"))

    @cached_property
    def peers(self) -> Floats:
        """Lower quartile of the component scores of the band (n, components)."""
        return peer_quartiles(self.scores.components, self.band, self.least)

    @cached_property
    def issues(self) -> Issues:
        """What holds each creator back."""
        return diagnose(self.catalogue, self.values, self.scores, self.peers)


def reference_of(cells: pa.Table) -> Reference:
    """The reference tables from their cells."""
    rows: dict[str, dict[str, dict[str, object]]] = {table: {} for table in TABLES}
    for cell in cells.to_pylist():
        of_table = rows.setdefault(cell["table_name"], {})
        of_table.setdefault(cell["row_key"], {})[cell["column_name"]] = cell["cell"]
    return Reference.of({table: list(found.values()) for table, found in rows.items()})


def open_weeks(inputs: Any, judged: Any, cells: Any, latest: int | None = None) -> Iterator[Week]:
    """The weeks of three dbt relations, which are read at once; see ``weeks_of``."""
    return weeks_of(
        read(inputs, keys=["week_end_date", "creator_id"]),
        # Of millions of judgements only the latest of each attribute counts, in whatever order they come.
        scan(judged),
        read(cells, keys=["table_name", "row_key", "column_name"]),
        latest,
    )


def weeks_of(
    inputs: pa.Table, judged: pa.Table, cells: pa.Table, latest: int | None = None
) -> Iterator[Week]:
    """The weeks, oldest first; see the module for the tables.

    Args:
        latest: how many of the latest week ends; all when left out.
    """
    reference = reference_of(cells)
    judgements = Judgements.of(judged)
    days = _ordinals(inputs, "week_end_date")
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]]) if len(days) else np.zeros(0, int)
    bounds = [*starts.tolist(), len(days)]
    spans = list(pairwise(bounds))
    for first, after in spans if latest is None else spans[-latest:]:
        day = date.fromordinal(int(days[first]))
        catalogue = reference.on(day)
        part = inputs.slice(first, after - first)
        ids = _flat(part.column("creator_id"))
        given = np.full((len(ids), len(catalogue.fields)), np.nan)
        since = np.zeros(given.shape, dtype=np.int64)
        for place, item in enumerate(catalogue.inputs):
            if item.origin != "assessments" and item.field in part.schema.names:
                given[:, place] = numbers(part, item.field)
        judgements.fill(given, since, catalogue, ids, day.toordinal())
        yield Week(day, catalogue, ids, _flat(part.column("size_band")), given, since)


class Judgements:
    """What assessors said, walked through once from the oldest day to the latest.

    It holds the latest judgement of every creator and attribute up to the day that was asked for last: a week
    costs as much as it has new judgements, however long the history is.

    Args:
        creators, attributes: distinct texts.
        creator, attribute: code of each row.
        begins, ends: days (ordinals) between which it is the latest one; the end is not part of it.
        score: 0 to 1.
    """

    def __init__(
        self,
        creators: pa.Array,
        attributes: pa.Array,
        creator: Ints,
        attribute: Ints,
        begins: Ints,
        ends: Ints,
        score: Floats,
    ) -> None:
        order = np.argsort(begins, kind="stable")
        self.creators, self.attributes = creators, attributes
        self._cell = (creator * max(len(attributes), 1) + attribute)[order]
        self._begins, self._ends, self._score = begins[order], ends[order], score[order]
        shape = (len(creators), len(attributes))
        self._next, self._upto = 0, 0
        self._spoken = np.zeros(len(creators), dtype=np.int64)
        self._latest = np.full(shape, np.nan)
        self._since, self._until = np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    @staticmethod
    def of(judged: pa.Table) -> Judgements:
        """From the table of the module."""
        names = [_flat(judged.column(name)) for name in ("creator_id", "attribute")]
        coded = [column.dictionary_encode() for column in names]
        codes = [np.asarray(column.indices.to_numpy(), dtype=np.int64) for column in coded]
        return Judgements(
            creators=coded[0].dictionary,
            attributes=coded[1].dictionary,
            creator=codes[0],
            attribute=codes[1],
            begins=_ordinals(judged, "valid_from_date"),
            ends=_ordinals(judged, "valid_to_date"),
            score=numbers(judged, "score"),
        )

    def _walk(self, day: int) -> None:
        """Take in what was said up to a day.

        Raises:
            ValueError: the day lies before one that was asked for already.
        """
        if day < self._upto:
            raise ValueError("judgements are walked through forwards")
        first, self._upto = self._next, day
        self._next = int(np.searchsorted(self._begins, day, side="right"))
        new = slice(first, self._next)
        # Of several the last one stays: they stand in the order of their days.
        cell = self._cell[new]
        self._latest.reshape(-1)[cell] = self._score[new]
        self._since.reshape(-1)[cell] = self._begins[new]
        self._until.reshape(-1)[cell] = self._ends[new]
        width = max(len(self.attributes), 1)
        self._spoken += np.bincount(cell // width, minlength=len(self._spoken))

    def fill(
        self, given: Floats, since: Ints, catalogue: Catalogue, ids: pa.Array, day: int
    ) -> None:
        """Fill in the latest judgement of each attribute on a day, and how many there were.

        Raises:
            ValueError: the day lies before one that was asked for already.
        """
        self._walk(day)
        if not len(self.creators):
            return
        place = places(ids, self.creators)
        rows = np.flatnonzero(place >= 0)
        own = place[rows]
        if JUDGEMENTS in catalogue.field_index:
            count = self._spoken[own].astype(np.float64)
            given[rows, catalogue.field_index[JUDGEMENTS]] = np.where(count > 0, count, np.nan)
        codes = {name: code for code, name in enumerate(self.attributes.to_pylist())}
        for item in catalogue.inputs:
            code = codes.get(item.field)
            if item.origin != "assessments" or code is None:
                continue
            column = catalogue.field_index[item.field]
            valid = self._until[own, code] > day
            given[rows[valid], column] = self._latest[own[valid], code]
            since[rows[valid], column] = self._since[own[valid], code]


def places(ids: pa.Array, among: pa.Array) -> Ints:
    """Place of each text among others, -1 where it is not there."""
    found = pc.fill_null(pc.index_in(ids, value_set=among), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().cast(pa.string())


def _ordinals(table: pa.Table, column: str) -> Ints:
    """Dates as proleptic ordinals."""
    since_1970 = table.column(column).cast(pa.date32()).cast(pa.int32()).to_numpy()
    return np.asarray(since_1970, dtype=np.int64) + date(1970, 1, 1).toordinal()


# ---------------------------------------------------------------- rows
def _named(names: list[str], codes: npt.NDArray[Any]) -> pa.Array:
    """Texts by their place in a list; a negative place is null."""
    place = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(place, pa.array(names, pa.string())).cast(pa.string())


def _texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _keys(week: Week, rows: Ints) -> Columns:
    count = len(rows)
    days = np.full(count, np.datetime64(week.day, "D"))
    return {
        "creator_id": week.ids.take(pa.array(rows)),
        "week_end_date": pa.array(days, pa.date32()),
        "reference_version": _named([week.catalogue.version], np.zeros(count, dtype=np.int64)),
    }


def _cells(week: Week, width: int) -> tuple[Ints, Ints]:
    """Creator and column of each cell of an (n, width) array, row by row."""
    count = len(week.ids)
    return np.repeat(np.arange(count), width), np.tile(np.arange(width), count)


def _levels(catalogue: Catalogue, scores: Floats) -> pa.Array:
    names = [item.level for item in catalogue.levels]
    found = levels(catalogue, scores).ravel()
    codes = np.full(len(found), -1)
    for place, name in enumerate(names):
        codes[found == name] = place
    return _named(names, codes)


def overall_and_tier_rows(week: Week) -> Columns:
    """One row per creator and subject: the overall score (tier 0) and the score of each tier."""
    catalogue, scores, count = week.catalogue, week.scores, len(week.ids)
    nothing = np.full(count, np.nan)
    tier_weight = [
        sum(item.weight for item in catalogue.kpis if item.tier == tier) / MILLIONTHS
        for tier in catalogue.tiers
    ]
    percentile = peer_percentiles(scores.overall[:, None], week.band, week.least)[:, 0]

    def below(overall: Floats, of_tiers: Floats | None = None) -> Floats:
        rest = [nothing] * len(catalogue.tiers) if of_tiers is None else list(of_tiers.T)
        return np.concatenate([overall, *rest])

    blocks = 1 + len(catalogue.tiers)
    return {
        **_keys(week, np.tile(np.arange(count), blocks)),
        "size_band": week.bands.take(pa.array(np.tile(np.arange(count), blocks))),
        "tier": np.repeat(np.array([0, *catalogue.tiers], dtype=np.int64), count),
        "weight": np.repeat(np.array([1.0, *tier_weight]), count),
        "score": below(scores.overall, scores.tiers),
        "coverage_rate": below(scores.coverage, scores.tier_coverage),
        "level": _levels(catalogue, below(scores.overall, scores.tiers)),
        "equal_weight_score": below(scores.equal),
        "weighting_effect": below(scores.weighting_effect),
        "revenue_focus": below(scores.revenue_focus),
        "peer_percentile": below(percentile),
        "issue_count": np.r_[week.issues.found.sum(axis=1), np.zeros(count * (blocks - 1))].astype(
            np.int64
        ),
    }


def kpi_rows(week: Week) -> Columns:
    """One row per creator and KPI."""
    catalogue, scores = week.catalogue, week.scores
    row, column = _cells(week, len(catalogue.kpis))
    rank = np.full(scores.kpis.shape, np.nan)
    for place, kpi in enumerate(bottlenecks(catalogue, scores).T):
        there = np.flatnonzero(kpi >= 0)
        rank[there, kpi[there]] = place + 1
    return {
        **_keys(week, row),
        "kpi": _named([item.kpi for item in catalogue.kpis], column),
        "tier": np.array([item.tier for item in catalogue.kpis], dtype=np.int64)[column],
        "weight": np.array([item.weight / MILLIONTHS for item in catalogue.kpis])[column],
        "score": scores.kpis.ravel(),
        "coverage_rate": scores.kpi_coverage.ravel(),
        "level": _levels(catalogue, scores.kpis),
        "headroom": scores.kpi_headroom.ravel(),
        "peer_percentile": peer_percentiles(scores.kpis, week.band, week.least).ravel(),
        "bottleneck_rank": rank.ravel(),
    }


def component_rows(week: Week) -> Columns:
    """One row per creator, KPI and component: score, headroom, peers, and the issue if it is one."""
    catalogue, scores, issues = week.catalogue, week.scores, week.issues
    row, column = _cells(week, len(catalogue.components))
    items = catalogue.components
    first = np.array([catalogue.field_index[item.fields[0]] for item in items], dtype=np.int64)
    sample = np.array([catalogue.field_index[item.sample_field] for item in items], dtype=np.int64)
    kpi_weight = np.array([catalogue.kpis[k].weight / MILLIONTHS for k in catalogue.kpi_of])
    found = issues.found.ravel()
    return {
        **_keys(week, row),
        "kpi": _named([item.kpi for item in items], column),
        "component": _named([item.component for item in items], column),
        # A component of several inputs is no single number.
        "input_value": np.where(
            np.array([len(item.fields) == 1 for item in items]), week.values[:, first], np.nan
        ).ravel(),
        "sample_size": week.values[:, sample].ravel(),
        "kpi_weight": kpi_weight[column],
        "component_weight": np.array([item.weight / MILLIONTHS for item in items])[column],
        "score": scores.components.ravel(),
        "headroom": scores.component_headroom.ravel(),
        "peer_p25": week.peers.ravel(),
        "peer_percentile": peer_percentiles(scores.components, week.band, week.least).ravel(),
        "is_issue": found,
        "severity": _named(
            [item.name.lower() for item in Severity], np.where(found, issues.severity.ravel(), -1)
        ),
        "cause": _named(
            [item.name.lower() for item in Cause], np.where(found, issues.cause.ravel(), -1)
        ),
        "impact": issues.impact.ravel(),
        "action": _named([item.action for item in items], np.where(found, column, -1)),
    }


def rejected_rows(week: Week) -> Columns:
    """One row per creator and input that cannot be, with its value."""
    row, column = np.nonzero(week.rejected)
    inputs = week.catalogue.inputs
    return {
        **_keys(week, row),
        "field": _named([item.field for item in inputs], column),
        "input_value": week.given[row, column],
        "min_value": np.array([item.min_value for item in inputs])[column],
        "max_value": np.array([item.max_value for item in inputs])[column],
    }


def recommendation_rows(week: Week) -> Columns:
    """One row per recommendation, with its plan of a test."""
    catalogue = week.catalogue
    found = recommend(
        catalogue, week.values, week.scores, week.issues, week.ids.to_pylist(), week.day
    )
    items = catalogue.components
    names = sorted(catalogue.actions)
    of_code = [catalogue.actions[name] for name in names]
    of_component = np.array([names.index(item.action) for item in items], dtype=np.int64)
    code = of_component[found.component]
    # A rule names the action's metric and the days: few of them are different.
    days, day_code = np.unique(found.test_days, return_inverse=True)
    pairs, rule = np.unique(code * max(len(days), 1) + day_code, return_inverse=True)
    rules = [
        stopping_rule(catalogue, of_code[pair // len(days)], days[pair % len(days)])
        for pair in pairs.tolist()
    ]
    return {
        **_keys(week, found.creator),
        "recommendation_id": _texts(found.recommendation_id),
        "iso_week": _named([week_of(week.day)], np.zeros(len(code), dtype=np.int64)),
        "place": found.place,
        "kpi": _named([item.kpi for item in items], found.component),
        "component": _named([item.component for item in items], found.component),
        "action": _named(names, code),
        "severity": _named(
            [item.name.lower() for item in Severity],
            week.issues.severity[found.creator, found.component],
        ),
        "cause": _named(
            [item.name.lower() for item in Cause], week.issues.cause[found.creator, found.component]
        ),
        "priority": found.priority,
        "headroom": found.headroom,
        "confidence": found.confidence,
        "expected_gain": found.base_gain,
        "effort_hours": found.effort_hours,
        "expected_value": found.value,
        "evidence_grade": _named([action.evidence_grade for action in of_code], code),
        "primary_metric": _named([action.primary_metric for action in of_code], code),
        "baseline": found.baseline,
        "minimum_effect": found.minimum_effect,
        "sample_size_per_arm": found.sample_size,
        "test_days": found.test_days,
        "is_feasible": found.is_feasible,
        "plan_reason": _texts(found.plan_reason),
        "stopping_rule": _named(rules, rule),
    }


def with_gains(weeks: Iterator[Week], gains: pa.Table) -> Iterator[Week]:
    """The weeks with what their catalogue had learnt from outcomes by then.

    Args:
        gains: one row per week_end_date and action with expected_gain and evidence_grade.
    """
    learnt: dict[int, dict[str, tuple[float, str]]] = {}
    for day, action, gain, grade in zip(
        _ordinals(gains, "week_end_date").tolist(),
        gains.column("action").to_pylist(),
        numbers(gains, "expected_gain").tolist(),
        gains.column("evidence_grade").to_pylist(),
        strict=True,
    ):
        learnt.setdefault(day, {})[action] = (gain, grade)
    for week in weeks:
        known: Mapping[str, tuple[float, str]] = learnt.get(week.day.toordinal(), {})
        yield replace(week, catalogue=week.catalogue.with_measured(known))
