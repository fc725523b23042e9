"""Tables, columns and rules of the landing contract, read from ``vars.yml``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from plumbline.errors import PlumblineError
from plumbline.project import project_root, setting, variables

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_SIMPLE: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Column:
    """One column of a landed table; the fields are the keys that ``vars.yml`` explains."""

    name: str
    type: str
    description: str
    required: bool = False
    observed: bool = False
    pii: bool = False
    pseudonymised: bool = False
    default: str | None = None
    min: float | None = None
    max: float | None = None
    unless: str | None = None
    then_max: float | None = None
    at_least: str | None = None
    at_most: str | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.DataType:
        """Arrow type of the column in the lake."""
        match = _DECIMAL.fullmatch(self.type)
        if match:
            return pa.decimal128(int(match[1]), int(match[2]))
        return _SIMPLE[self.type]

    @property
    def length_limit(self) -> int:
        """Longest text landing accepts, in characters."""
        return self.max_length or int(setting("max_text_length"))


INGESTED_AT = Column("ingested_at", "timestamp", "When the row landed.", required=True)


@dataclass(frozen=True)
class Table:
    """One landed table.

    Attributes:
        name: name in the contract and folder in the lake.
        source: producer group, the staging folder.
        entity: plural entity of the staging model ``stg_<source>__<entity>``.
        key: columns that identify a row.
        time: business time; its day is the row's event date.
        winner: ``earliest`` or ``latest`` copy of a key by business time is kept, or the
            ``last_landed`` one, where a later delivery corrects an earlier one.
        one_of: columns of which at least one must be present.
        flows: ``daily`` where rows arrive every day, so that old data means a stale source.
        columns: contract columns in order, ``ingested_at`` last.
    """

    name: str
    source: str
    entity: str
    description: str
    key: tuple[str, ...]
    time: str
    winner: str
    columns: tuple[Column, ...]
    one_of: tuple[str, ...] = ()
    flows: str | None = None
    by_name: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    @property
    def staging_model(self) -> str:
        """Name of the staging model of accepted rows."""
        return f"stg_{self.source}__{self.entity}"

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the table's Parquet files in the lake."""
        return pa.schema([pa.field(column.name, column.arrow) for column in self.columns])


def _column(raw: dict[str, Any]) -> Column:
    values = dict(raw)
    for name in ("values", "known"):
        values[name] = tuple(values.get(name, ()))
    return Column(**values)


def _table(name: str, raw: dict[str, Any]) -> Table:
    try:
        columns = (*(_column(column) for column in raw["columns"]), INGESTED_AT)
        return Table(
            name=name,
            source=raw["source"],
            entity=raw["entity"],
            description=raw["description"],
            key=tuple(raw["key"]),
            time=raw["time"],
            winner=raw["winner"],
            one_of=tuple(raw.get("one_of", ())),
            flows=raw.get("flows"),
            columns=columns,
            by_name={column.name: column for column in columns},
        )
    except (KeyError, TypeError) as error:
        raise PlumblineError(f"vars.yml: contract of {name} is incomplete: {error}.") from error


@cache
def _contract(root: Path) -> dict[str, Table]:
    return {name: _table(name, raw) for name, raw in variables()["contract"].items()}


def contract() -> dict[str, Table]:
    """All landed tables by name, in the order of ``vars.yml``."""
    return _contract(project_root())


def table(name: str) -> Table:
    """One landed table.

    Raises:
        PlumblineError: the contract has no such table.
    """
    tables = contract()
    if name not in tables:
        raise PlumblineError(
            f"the contract has no table {name}.", f"Tables are: {', '.join(tables)}."
        )
    return tables[name]
