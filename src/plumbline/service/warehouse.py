"""Questions to the published warehouse, each over its own read-only connection.

The file is opened by its real path for every question: a version published in between is seen by the next
one, and no reader holds a file that a publisher wants to replace.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from plumbline.scoring.reference import TABLES
from plumbline.service.problems import Problem

REGISTRY = "dim_metrics"
_SUMMARY = (
    "metric",
    "definition",
    "unit",
    "good_direction",
    "owner",
    "mart",
    "value_column",
    "numerator_column",
    "denominator_column",
)
_SLICE_TYPES = ("VARCHAR", "BOOLEAN", "BIGINT", "INTEGER")
# How long an experiment's result page may get.
_MOST_ROWS = 1000


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Warehouse:
    """One published DuckDB file.

    Args:
        path: the file, or a link to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def version(self) -> tuple[str, int, int] | None:
        """What tells one published version from the next; None while there is no file."""
        try:
            real = self.path.resolve()
            state = real.stat()
        except OSError:
            return None
        return str(real), state.st_mtime_ns, state.st_size

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self.version() is None:
            raise Problem(503, "database_unavailable", "The published file is not there.")
        try:
            connection = duckdb.connect(str(self.path.resolve()), read_only=True)
        except duckdb.Error as error:
            raise Problem(
                503, "database_unavailable", "The published file cannot be opened."
            ) from error
        try:
            yield connection
        except duckdb.Error as error:
            raise Problem(
                503, "database_unavailable", "The published file cannot be read."
            ) from error
        finally:
            connection.close()

    def is_readable(self) -> bool:
        """Whether a question can be asked now."""
        try:
            with self._open() as connection:
                connection.execute("select 1")
        except Problem:
            return False
        return True

    def reference_tables(self) -> Mapping[str, list[dict[str, object]]] | None:
        """Rows of the reference tables of scoring; None where the file does not hold all of them."""
        try:
            with self._open() as connection:
                names = {name: _find(connection, name) for name in TABLES}
                if None in names.values():
                    return None
                return {
                    name: _rows(connection, f"select * from {place}", plain=lambda value: value)
                    for name, place in names.items()
                }
        except Problem:
            return None

    def metrics(self) -> list[dict[str, Any]]:
        """The registry of metrics."""
        with self._open() as connection:
            return self._registry(connection)

    @staticmethod
    def _registry(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
        place = _find(connection, REGISTRY)
        if place is None:
            raise Problem(503, "database_unavailable", "The published file holds no metrics.")
        return _rows(
            connection, f"select {', '.join(_SUMMARY)}, also_known_as from {place} order by metric"
        )

    def metric(
        self,
        name: str,
        first: date | None,
        last: date | None,
        slices: Sequence[tuple[str, str]],
        offset: int,
        limit: int,
    ) -> dict[str, Any]:
        """Values of one metric, sorted by all columns that tell its rows apart.

        Args:
            name: metric, or a name it is also known as.
            first, last: days of its date column, both included.
            slices: (column, value) pairs that must hold.
            offset, limit: page.

        Raises:
            Problem: 404 for an unknown metric, 422 for a slice or date that its mart does not have.
        """
        wanted = name.strip().lower().replace("-", "_")
        with self._open() as connection:
            found = next(
                (
                    row
                    for row in self._registry(connection)
                    if wanted in (row["metric"], *(row["also_known_as"] or "").split(" "))
                ),
                None,
            )
            place = _find(connection, found["mart"]) if found else None
            if found is None or place is None:
                raise Problem(404, "not_found", "No published metric has that name.")
            columns = dict(_columns(connection, place))
            shown = [
                column
                for column in (
                    found["value_column"],
                    found["numerator_column"],
                    found["denominator_column"],
                )
                if column in columns
            ]
            day = next((name for name, kind in columns.items() if kind == "DATE"), None)
            keys = [
                name
                for name, kind in columns.items()
                if name not in shown
                and (kind in ("VARCHAR", "BOOLEAN", "DATE") or name in _numbered(columns))
            ]
            usable = [name for name in keys if columns[name] in _SLICE_TYPES]
            where, values = _conditions(day, first, last, slices, usable)
            order = ", ".join(f"{_quoted(key)} nulls last" for key in (*keys, *shown))
            rows = _rows(
                connection,
                f"select {', '.join(map(_quoted, (*keys, *shown)))} from {place} {where} "
                f"order by {order} limit {limit + 1} offset {offset}",
                values,
            )
        more = len(rows) > limit
        return {
            "metric": {key: found[key] for key in _SUMMARY},
            "date_column": day,
            "slices": usable,
            "rows": rows[:limit],
            "offset": offset,
            "limit": limit,
            "next_offset": offset + limit if more else None,
        }

    def experiments(self) -> list[dict[str, Any]]:
        """The decision on each experiment and phase."""
        with self._open() as connection:
            return self._of(connection, "fct_experiment_decisions", None)

    def experiment(self, experiment_id: str) -> dict[str, Any]:
        """One experiment.

        Raises:
            Problem: 404 where nobody knows it.
        """
        with self._open() as connection:
            phases = self._of(connection, "dim_experiments", experiment_id)
            if not phases:
                raise Problem(404, "not_found", "No published experiment has that id.")
            return {
                "experiment_id": experiment_id,
                "phases": phases,
                "decisions": self._of(connection, "fct_experiment_decisions", experiment_id),
                "health": self._of(connection, "agg_experiment_health", experiment_id),
                "variations": self._of(connection, "agg_variation_summaries", experiment_id),
            }

    @staticmethod
    def _of(
        connection: duckdb.DuckDBPyConnection, table: str, experiment_id: str | None
    ) -> list[dict[str, Any]]:
        place = _find(connection, table)
        if place is None:
            raise Problem(503, "database_unavailable", "The published file holds no experiments.")
        where, values = ("where experiment_id = ?", [experiment_id]) if experiment_id else ("", [])
        return _rows(
            connection, f"select * from {place} {where} order by all limit {_MOST_ROWS}", values
        )


def _numbered(columns: Mapping[str, str]) -> set[str]:
    """Whole numbers that tell rows apart: what is no count, sum or rate of people or money."""
    ends = ("_days", "_number", "_rank", "_number_of_days")
    return {
        name
        for name, kind in columns.items()
        if kind in ("BIGINT", "INTEGER") and (name.endswith(ends) or name == "phase")
    }


def _conditions(
    day: str | None,
    first: date | None,
    last: date | None,
    slices: Sequence[tuple[str, str]],
    usable: Sequence[str],
) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for bound, operator, field in ((first, ">=", "from"), (last, "<=", "to")):
        if bound is None:
            continue
        if day is None:
            raise Problem(
                422, "invalid_input", "The metric has no dates.", [(field, "no date column")]
            )
        conditions.append(f"{_quoted(day)} {operator} ?")
        values.append(bound)
    for column, value in slices:
        if column not in usable:
            message = f"no column {column[:60]}; slices are {', '.join(usable)}"
            raise Problem(422, "invalid_input", "Not accepted: slice.", [("slice", message)])
        conditions.append(f"cast({_quoted(column)} as varchar) = ?")
        values.append(value)
    return ("where " + " and ".join(conditions) if conditions else ""), values


def _find(connection: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """Qualified name of a table, in whatever schema it was published."""
    found = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_name = ? order by table_schema limit 1",
        [table],
    ).fetchone()
    return f"{_quoted(found[0])}.{_quoted(found[1])}" if found else None


def _columns(connection: duckdb.DuckDBPyConnection, place: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe {place}").fetchall()]


def _rows(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    values: Sequence[Any] = (),
    plain: Callable[[Any], Any] = _plain,
) -> list[dict[str, Any]]:
    answer = connection.execute(query, list(values))
    names = [column[0] for column in answer.description or []]
    return [
        {name: plain(value) for name, value in zip(names, row, strict=True)}
        for row in answer.fetchall()
    ]
