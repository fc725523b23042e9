"""The reference tables of creator scoring, and the part of them that is valid on a day.

The tables are ``seeds/reference/creator_*.csv``, the single definition: dbt seeds them, an installed package
carries them as data files, and a service with a warehouse reads the seeded tables. The version of what is
valid on a day is a hash of its content, whichever of the three ways it came.
"""

from __future__ import annotations

import csv
import hashlib
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from plumbline.errors import PlumblineError
from plumbline.project import project_root

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FOLDER = Path("seeds") / "reference"
# Where an installed package keeps its copy; see data-files in pyproject.toml.
SHARE = Path("share") / "plumbline" / "reference"
# Seeds have no empty cells: engines read those differently.
NONE = "none"
PERIOD = ("valid_from_date", "valid_to_date")
# Weights are added as whole millionths, so that their sums are exact.
MILLIONTHS = 1_000_000
TRANSFORMS = (
    "linear",
    "linear_to_target",
    "identity",
    "complement",
    "ratio_min_1",
    "target_over",
    "balance",
)

# Table -> its columns with their types, key columns first (as many as KEYS says), without the period.
TABLES: dict[str, dict[str, str]] = {
    "creator_kpis": {
        "kpi": "string",
        "position": "bigint",
        "title": "string",
        "tier": "bigint",
        "weight": "decimal",
        "is_revenue": "boolean",
        "meaning": "string",
    },
    "creator_components": {
        "kpi": "string",
        "component": "string",
        "position": "bigint",
        "title": "string",
        "weight": "decimal",
        "transform": "string",
        "fields": "string",
        "low": "decimal",
        "high": "decimal",
        "target_field": "string",
        "ideal_mix": "string",
        "sample_field": "string",
        "half_sample": "decimal",
    },
    "creator_inputs": {
        "field": "string",
        "position": "bigint",
        "title": "string",
        "role": "string",
        "origin": "string",
        "kind": "string",
        "min_value": "decimal",
        "max_value": "decimal",
        "default_value": "decimal",
        "definition": "string",
    },
    "creator_rules": {
        "kpi": "string",
        "component": "string",
        "measure": "string",
        "direction": "string",
        "issue_threshold": "decimal",
        "severe_threshold": "decimal",
        "action": "string",
    },
    "creator_recommendations": {
        "action": "string",
        "title": "string",
        "base_gain": "decimal",
        "effort_hours": "decimal",
        "test_days": "bigint",
        "primary_metric": "string",
        "metric_direction": "string",
        "mde_relative": "decimal",
        "metric_spread": "string",
        "metric_variation": "decimal",
        "unit": "string",
        "unit_field": "string",
        "value_field": "string",
        "evidence_grade": "string",
        "what_to_do": "string",
    },
    "creator_evidence_grades": {
        "evidence_grade": "string",
        "grade_rank": "bigint",
        "confidence": "decimal",
        "meaning": "string",
    },
    "creator_levels": {
        "level": "string",
        "level_rank": "bigint",
        "min_score": "decimal",
        "meaning": "string",
    },
    "creator_size_bands": {
        "size_band": "string",
        "band_rank": "bigint",
        "min_follower_count": "bigint",
        "below_follower_count": "bigint",
    },
    "creator_settings": {"setting": "string", "setting_value": "decimal", "meaning": "string"},
}
KEYS = {"creator_components": ("kpi", "component"), "creator_rules": ("kpi", "component")}


@dataclass(frozen=True)
class Kpi:
    """One KPI; ``weight`` in millionths of the overall score."""

    kpi: str
    position: int
    title: str
    tier: int
    weight: int
    is_revenue: bool
    meaning: str


@dataclass(frozen=True)
class Component:
    """One component of a KPI and its rule; ``weight`` in millionths of the KPI.

    Attributes:
        fields: inputs it is made of.
        target_field: input that holds the target, or None.
        ideal_mix: shares that ``balance`` holds the fields against.
        sample_field: input that says how many observations stand behind it.
        half_sample: observations at which half of the trust is earned.
        measure: whether the rule looks at the ``input`` or at the ``score``.
        direction: whether ``below`` or ``above`` the threshold is an issue.
        action: recommendation that answers an issue.
    """

    kpi: str
    component: str
    position: int
    title: str
    weight: int
    transform: str
    fields: tuple[str, ...]
    low: float
    high: float
    target_field: str | None
    ideal_mix: tuple[float, ...]
    sample_field: str
    half_sample: float
    measure: str
    direction: str
    issue_threshold: float
    severe_threshold: float
    action: str


@dataclass(frozen=True)
class Input:
    """One input: what it may be and where it comes from; ``role`` is measure, target or sample."""

    field: str
    position: int
    title: str
    role: str
    origin: str
    kind: str
    min_value: float
    max_value: float
    default_value: float
    definition: str


@dataclass(frozen=True)
class Action:
    """One entry of the catalogue of recommendations.

    Attributes:
        confidence: what its evidence grade is worth, 0 to 1.
        metric_spread: variance of the primary metric by unit: ``share`` m (1 - m), ``count`` m,
            ``amount`` (metric_variation m)^2.
        value_field: input that grows by the same share as the metric (money), or None.
        what_to_do: steps.
    """

    action: str
    title: str
    base_gain: float
    effort_hours: float
    test_days: int
    primary_metric: str
    metric_direction: str
    mde_relative: float
    metric_spread: str
    metric_variation: float
    unit: str
    unit_field: str
    value_field: str | None
    evidence_grade: str
    confidence: float
    what_to_do: tuple[str, ...]


@dataclass(frozen=True)
class Level:
    """One level of a score, from ``min_score`` on."""

    level: str
    min_score: float
    meaning: str


@dataclass(frozen=True)
class SizeBand:
    """One band of creators by followers."""

    size_band: str
    min_follower_count: int
    below_follower_count: int


@dataclass(frozen=True)
class Group:
    """Components of one transform, side by side.

    Attributes:
        transform: of all of them.
        components: (k,) their places.
        fields: (inputs of each, k) places of their inputs.
        targets: (k,) places of their targets; 0 where the transform knows none.
        low, high: (k,).
        ideal: (inputs of each, k) ideal shares; empty where the transform knows none.
    """

    transform: str
    components: Ints
    fields: Ints
    targets: Ints
    low: Floats
    high: Floats
    ideal: Floats


@dataclass(frozen=True)
class Sums:
    """Weighted means over columns: (means, columns of the longest), padded with weight 0."""

    columns: Ints
    weights: Ints

    @staticmethod
    def of(members: Sequence[Sequence[int]], weights: Sequence[Sequence[int]]) -> Sums:
        """From the columns of each mean and their weights."""
        longest = max(len(own) for own in members)
        padded = [[*own, *[0] * (longest - len(own))] for own in members]
        heavy = [[*own, *[0] * (longest - len(own))] for own in weights]
        return Sums(np.array(padded, dtype=np.int64), np.array(heavy, dtype=np.int64))


@dataclass(frozen=True)
class Catalogue:
    """Everything that is valid on a day. Components stand together by KPI, in the order of the KPIs."""

    version: str
    kpis: tuple[Kpi, ...]
    components: tuple[Component, ...]
    inputs: tuple[Input, ...]
    actions: Mapping[str, Action]
    levels: tuple[Level, ...]
    bands: tuple[SizeBand, ...]
    grades: Mapping[str, float]
    settings: Mapping[str, Decimal]

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the inputs: the columns of every array of inputs."""
        return tuple(item.field for item in self.inputs)

    @cached_property
    def field_index(self) -> Mapping[str, int]:
        """Column of each input."""
        return {name: place for place, name in enumerate(self.fields)}

    @cached_property
    def kpi_index(self) -> Mapping[str, int]:
        """Place of each KPI."""
        return {item.kpi: place for place, item in enumerate(self.kpis)}

    @cached_property
    def kpi_of(self) -> Ints:
        """Place of the KPI of each component."""
        return np.array([self.kpi_index[item.kpi] for item in self.components], dtype=np.int64)

    @cached_property
    def tiers(self) -> tuple[int, ...]:
        """Numbers of the tiers, in order."""
        return tuple(sorted({item.tier for item in self.kpis}))

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Least and greatest possible value of each input."""
        return (
            np.array([item.min_value for item in self.inputs]),
            np.array([item.max_value for item in self.inputs]),
        )

    @cached_property
    def defaults(self) -> tuple[Ints, Floats]:
        """Places of the targets among the inputs, and their defaults."""
        places = [n for n, item in enumerate(self.inputs) if item.role == "target"]
        return np.array(places, dtype=np.int64), np.array(
            [self.inputs[n].default_value for n in places]
        )

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Components by transform and number of inputs."""
        held: dict[tuple[str, int], list[int]] = {}
        for place, item in enumerate(self.components):
            held.setdefault((item.transform, len(item.fields)), []).append(place)
        return tuple(
            Group(
                transform=transform,
                components=np.array(own, dtype=np.int64),
                fields=np.array(
                    [[self.field_index[f] for f in self.components[c].fields] for c in own]
                ).T,
                targets=np.array(
                    [self.field_index.get(self.components[c].target_field or "", 0) for c in own]
                ),
                low=np.array([self.components[c].low for c in own]),
                high=np.array([self.components[c].high for c in own]),
                ideal=np.array([self.components[c].ideal_mix for c in own]).T,
            )
            for (transform, _), own in held.items()
        )

    @cached_property
    def kpi_sums(self) -> Sums:
        """Components of each KPI and their weights."""
        members = [np.flatnonzero(self.kpi_of == k).tolist() for k in range(len(self.kpis))]
        return Sums.of(members, [[self.components[c].weight for c in own] for own in members])

    @cached_property
    def top_sums(self) -> Sums:
        """KPIs of each tier, of the overall score, and of the mean with equal weights."""
        every = list(range(len(self.kpis)))
        tiers = [[k for k in every if self.kpis[k].tier == tier] for tier in self.tiers]
        members = [*tiers, every, every]
        weights = [[self.kpis[k].weight for k in own] for own in members[:-1]]
        return Sums.of(members, [*weights, [1] * len(every)])

    @cached_property
    def rivals(self) -> tuple[Bools, Bools]:
        """(components, components): what is not recommended together, and what is of one KPI."""
        items = self.components
        same = [[a.component == b.component or a.action == b.action for b in items] for a in items]
        return np.array(same), np.array([[a.kpi == b.kpi for b in items] for a in items])

    def setting(self, name: str) -> float:
        """A setting of ``creator_settings`` as a number."""
        return float(self.settings[name])

    def with_measured(self, measured: Mapping[str, tuple[float, str]]) -> Catalogue:
        """The catalogue with gains learnt from outcomes: action -> (expected gain, evidence grade).

        The version stays: it names the tables people edit.
        """
        actions = {
            name: replace(
                action,
                base_gain=measured[name][0],
                evidence_grade=measured[name][1],
                confidence=self.grades[measured[name][1]],
            )
            if name in measured
            else action
            for name, action in self.actions.items()
        }
        return replace(self, actions=actions)


def _parse(table: str, column: str, kind: str, cell: object) -> object:
    try:
        if kind == "bigint":
            return int(str(cell))
        if kind == "decimal":
            return Decimal(str(cell))
        if kind == "boolean":
            return {"true": True, "false": False}[str(cell).lower()]
        if kind == "date":
            return cell if isinstance(cell, date) else date.fromisoformat(str(cell))
    except (ValueError, InvalidOperation, KeyError) as error:
        raise PlumblineError(f"{table}: {cell!r} is no {kind} for {column}.") from error
    return str(cell)


def _text(value: object) -> str:
    """Text of a value that is the same whether it came from a file or from an engine."""
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


Row = dict[str, Any]


def shipped_folder() -> Path:
    """Folder of the shipped CSV files: where the installed package keeps them, else that of the project.

    A wheel carries them as data files, which lie below the environment, or beside the package where it was
    installed into a folder of its own. A checkout has neither, and its seeds are the definition.

    Raises:
        PlumblineError: neither has them.
    """
    for place in (Path(__file__).resolve().parents[2], Path(sysconfig.get_path("data"))):
        if (place / SHARE / "creator_kpis.csv").is_file():
            return place / SHARE
    folder = project_root() / FOLDER
    if not (folder / "creator_kpis.csv").is_file():
        raise PlumblineError(
            f"no reference tables at {folder}.", "Restore them from the repository."
        )
    return folder


@dataclass(frozen=True)
class Reference:
    """All rows of the reference tables, typed, whatever their validity."""

    tables: Mapping[str, tuple[Row, ...]]

    @staticmethod
    def of(tables: Mapping[str, Iterable[Mapping[str, object]]]) -> Reference:
        """From rows, for each table of ``TABLES``; values may be texts or already typed.

        Raises:
            PlumblineError: a table or a column is missing, or a value is not of its type.
        """
        typed: dict[str, tuple[Row, ...]] = {}
        for table, columns in TABLES.items():
            if table not in tables:
                raise PlumblineError(f"the reference table {table} is missing.")
            kinds = {**columns, **dict.fromkeys(PERIOD, "date")}
            rows = []
            for row in tables[table]:
                if missing := [name for name in kinds if row.get(name) is None]:
                    raise PlumblineError(f"{table}: no value in {', '.join(missing)}.")
                rows.append(
                    {name: _parse(table, name, kind, row[name]) for name, kind in kinds.items()}
                )
            keys = [*KEYS.get(table, (next(iter(columns)),)), *PERIOD]
            typed[table] = tuple(sorted(rows, key=lambda row: [_text(row[key]) for key in keys]))
        return Reference(typed)

    @staticmethod
    def shipped(folder: Path | None = None) -> Reference:
        """From the CSV files.

        Args:
            folder: where they lie; those of the package or the project when left out.
        """
        place = folder or shipped_folder()
        tables: dict[str, list[dict[str, object]]] = {}
        for table in TABLES:
            path = place / f"{table}.csv"
            if not path.is_file():
                raise PlumblineError(f"no reference table at {path}.")
            with path.open(newline="", encoding="utf-8") as lines:
                tables[table] = [dict(row) for row in csv.DictReader(lines)]
        return Reference.of(tables)

    @staticmethod
    def arrow(tables: Mapping[str, Any]) -> Reference:
        """From Arrow tables, as ``plumbline.frames.read`` returns them."""
        return Reference.of({name: table.to_pylist() for name, table in tables.items()})

    def on(self, day: date) -> Catalogue:
        """What is valid on a day: valid_from_date <= day < valid_to_date.

        Raises:
            PlumblineError: nothing is valid, or what is valid does not fit together.
        """
        valid = {
            table: [row for row in rows if row[PERIOD[0]] <= day < row[PERIOD[1]]]
            for table, rows in self.tables.items()
        }
        if empty := [table for table, rows in valid.items() if not rows]:
            raise PlumblineError(f"nothing of {', '.join(empty)} is valid on {day}.")
        return _catalogue(valid)

    def changes(self) -> list[date]:
        """Days on which something begins or ends to hold, in order; nothing changes between two of them."""
        return sorted({row[end] for rows in self.tables.values() for row in rows for end in PERIOD})


def _version(valid: Mapping[str, list[Row]]) -> str:
    digest = hashlib.sha256()
    for table, columns in TABLES.items():
        for row in valid[table]:
            cells = (_text(row[name]) for name in columns)
            digest.update("\x1f".join((table, *cells)).encode() + b"\x1e")
    return digest.hexdigest()[:12]


def _optional(text: str) -> str | None:
    return None if text == NONE else text


def _listed(text: str) -> tuple[str, ...]:
    return () if text == NONE else tuple(text.split(" "))


_Made = TypeVar("_Made")


def _plain(kind: type[_Made], row: Row, **extra: object) -> _Made:
    """A row as a dataclass: decimals become doubles."""
    values = {name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()}
    wanted = {name: values[name] for name in kind.__dataclass_fields__ if name in values}  # type: ignore[attr-defined]
    return kind(**{**wanted, **extra})


def _millionths(weight: Decimal) -> int:
    return int(weight * MILLIONTHS)


def _catalogue(valid: Mapping[str, list[Row]]) -> Catalogue:
    kpis = sorted(valid["creator_kpis"], key=lambda row: (row["position"], row["kpi"]))
    order = {row["kpi"]: place for place, row in enumerate(kpis)}
    rules = {(row["kpi"], row["component"]): row for row in valid["creator_rules"]}
    components = valid["creator_components"]
    inputs = sorted(valid["creator_inputs"], key=lambda row: (row["position"], row["field"]))
    grades = {
        row["evidence_grade"]: float(row["confidence"]) for row in valid["creator_evidence_grades"]
    }
    actions = {row["action"]: row for row in valid["creator_recommendations"]}
    _check(kpis, components, rules, actions, inputs, grades)
    return Catalogue(
        version=_version(valid),
        kpis=tuple(_plain(Kpi, row, weight=_millionths(row["weight"])) for row in kpis),
        components=tuple(
            _plain(
                Component,
                {**rules[row["kpi"], row["component"]], **row},
                weight=_millionths(row["weight"]),
                fields=_listed(row["fields"]),
                target_field=_optional(row["target_field"]),
                ideal_mix=tuple(float(part) for part in _listed(row["ideal_mix"])),
            )
            for row in sorted(
                components, key=lambda row: (order[row["kpi"]], row["position"], row["component"])
            )
        ),
        inputs=tuple(_plain(Input, row) for row in inputs),
        actions={
            name: _plain(
                Action,
                row,
                value_field=_optional(row["value_field"]),
                confidence=grades[row["evidence_grade"]],
                what_to_do=tuple(step.strip() for step in row["what_to_do"].split("|")),
            )
            for name, row in sorted(actions.items())
        },
        levels=tuple(
            _plain(Level, row)
            for row in sorted(valid["creator_levels"], key=lambda row: row["level_rank"])
        ),
        bands=tuple(
            _plain(SizeBand, row)
            for row in sorted(valid["creator_size_bands"], key=lambda row: row["band_rank"])
        ),
        grades=grades,
        settings={row["setting"]: row["setting_value"] for row in valid["creator_settings"]},
    )


def _check(
    kpis: list[Row],
    components: list[Row],
    rules: Mapping[tuple[str, str], Row],
    actions: Mapping[str, Row],
    inputs: list[Row],
    grades: Mapping[str, float],
) -> None:
    """What the code relies on; dbt tests the same on the seeds.

    Raises:
        PlumblineError: names the row that does not fit.
    """
    fields = {row["field"] for row in inputs}
    known = {row["kpi"] for row in kpis}

    def need(holds: bool, what: str) -> None:
        if not holds:
            raise PlumblineError(what, "Correct seeds/reference.")

    def adds_up(rows: list[Row], of: str) -> None:
        total = sum(row["weight"] for row in rows)
        need(total == 1, f"the weights of {of} add up to {total} instead of 1.")

    adds_up(kpis, "the KPIs")
    for kpi in sorted(known):
        adds_up([row for row in components if row["kpi"] == kpi], f"the components of {kpi}")
    for row in [*kpis, *components]:
        name = f"{row['kpi']} {row.get('component', '')}".strip()
        exact = row["weight"] * MILLIONTHS
        need(row["weight"] >= 0 and exact == int(exact), f"{name}: weight {row['weight']}.")
    for row in components:
        key = (row["kpi"], row["component"])
        name = " ".join(key)
        need(row["kpi"] in known, f"{name} belongs to no KPI.")
        need(row["transform"] in TRANSFORMS, f"{name}: unknown transform {row['transform']}.")
        named = {*_listed(row["fields"]), row["sample_field"], *_listed(row["target_field"])}
        need(named <= fields, f"{name} names unknown inputs: {sorted(named - fields)}.")
        need(key in rules, f"{name} has no rule.")
        need(rules[key]["action"] in actions, f"{name}: no recommendation answers its issue.")
    for row in actions.values():
        named = {row["primary_metric"], row["unit_field"], *_listed(row["value_field"])}
        need(named <= fields, f"{row['action']} names unknown inputs: {sorted(named - fields)}.")
        need(row["evidence_grade"] in grades, f"{row['action']}: unknown evidence grade.")
        need(row["effort_hours"] > 0, f"{row['action']}: effort_hours must be above 0.")
