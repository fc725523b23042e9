"""Strict casts from text or Parquet columns to the contract's types, as one generated query."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from plumbline.contract.model import Column, Table
from plumbline.landing.decimals import exact_decimals
from plumbline.landing.fingerprint import fingerprint
from plumbline.landing.rows import plain_decimals

if TYPE_CHECKING:
    import duckdb

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_NAIVE = rf"{_DAY}(?:[T ]{_CLOCK}(?::[0-5]\d(?:[.]\d{{1,6}})?)?Z?)?"
_ZONE = r"(?: ?(Z)| ?([+-](?:0\d|1[0-5])):?([0-5]\d)?)?"
_OFFSET = rf"({_DAY})[T ]({_CLOCK})(:[0-5]\d)?([.]\d{{1,6}})?{_ZONE}"
_INTEGER = r"-?\d{1,19}"
_DECIMAL = r"-?(?:\d+[.]?\d*|[.]\d+)"
# Lengths of a text to the second and to the microsecond.
_SECONDS, _MICROSECONDS = 19, 26
# The calendar of ISO 8601, in the units of the Arrow types.
_BOUND_TYPES = {"timestamp": pa.int64(), "date": pa.int32()}
_BOUNDS = {
    "timestamp": (-62_135_596_800_000_000, 253_402_300_799_999_999),
    "date": (-719_162, 2_932_896),
}
_FIRST, _LAST = "timestamp '0001-01-01'", "timestamp '9999-12-31 23:59:59.999999'"


def connect() -> duckdb.DuckDBPyConnection:
    """A private engine that can reach neither files nor the network."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": int(os.environ.get("PLUMBLINE_THREADS") or 2),
            "memory_limit": os.environ.get("PLUMBLINE_MEMORY_LIMIT") or "4GB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _timestamp(text: str) -> str:
    # Digits beyond the microsecond are cut, never rounded into the next second.
    cut = (
        f"case when strlen({text}) > 26"
        rf" then regexp_replace({text}, '([.]\d{{6}})\d+', '\1') else {text} end"
    )

    def part(index: int, default: str = "") -> str:
        found = f"regexp_extract({cut}, '{_OFFSET}', {index})"
        return f"case when {found} = '' then '{default}' else {found} end"

    moment = (
        f"{part(1)} || ' ' || {part(2)} || {part(3, ':00')} || {part(4)}"
        f" || {part(6, '+00')} || ':' || {part(7, '00')}"
    )
    return (
        f"case when regexp_full_match({text}, '{_NAIVE}')"
        f" then try_cast(rtrim({text}, 'Z') as timestamp)"
        f" when regexp_full_match({cut}, '{_OFFSET}')"
        f" then timezone('UTC', try_cast({moment} as timestamptz)) end"
    )


def _from_text(column: Column, text: str) -> str:
    if column.type == "string":
        return text
    if column.type == "bigint":
        whole = f"regexp_full_match({text}, '{_INTEGER}')"
        return f"case when {whole} then try_cast({text} as bigint) end"
    if column.type == "boolean":
        return f"case lower({text}) when 'true' then true when 'false' then false end"
    if column.type == "date":
        return f"case when regexp_full_match({text}, '{_DAY}') then try_cast({text} as date) end"
    if column.type == "timestamp":
        return _timestamp(text)
    cast = f"try_cast({text} as {column.type})"
    return f"case when regexp_full_match({text}, '{_DECIMAL}') then {cast} end"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bounded(column: Column, name: str) -> str:
    if column.type == "timestamp":
        return f"case when {name} between {_FIRST} and {_LAST} then {name} end"
    if column.type == "date":
        return f"case when {name} between date '0001-01-01' and date '9999-12-31' then {name} end"
    return name


def _query(table: Table, casts: dict[str, str]) -> str:
    """Typed contract columns and ``reason`` (null = accepted) in row order.

    The first fault in the order of the contract's columns names the row.
    """
    faults, typed, final = [], [], []
    for column in table.columns:
        name = column.name
        typed.append(f"{casts[name]} as {name}_typed")
        value = _bounded(column, f"{name}_typed")
        if column.type == "string":
            if not column.pseudonymised:
                limit = column.length_limit
                faults.append(
                    f"when strlen({name}) > {limit} and length({name}) > {limit}"
                    f" then 'too_long:{name}'"
                )
        else:
            faults.append(f"when {name} is not null and {value} is null then 'invalid:{name}'")
        if column.default is not None:
            value = f"coalesce({value}, {_literal(column.default)})"
        if column.name == "ingested_at":
            value = f"coalesce({value}, (select landed_at from run))"
        final.append(f"cast({value} as {column.type.replace('string', 'varchar')}) as {name}")
    return (
        f"with typed as (select *, {', '.join(typed)} from rows)"
        f" select {', '.join(final)},"
        f" case when reason is not null then reason {' '.join(faults)} end as reason from typed"
    )


def accepts(column: Column, kind: pa.DataType) -> bool:
    """Whether a Parquet column of this Arrow type may hold the contract column.

    Only types that widen without loss, or whose misfits are judged row by row, may.
    """
    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_null(kind):
        return True
    checks: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
        "string": (pt.is_string, pt.is_large_string, pt.is_string_view),
        "bigint": (pt.is_integer,),
        "boolean": (pt.is_boolean,),
        "date": (pt.is_date,),
        "timestamp": (pt.is_timestamp, pt.is_date),
        "decimal": (
            pt.is_integer,
            pt.is_float32,
            pt.is_float64,
            pt.is_decimal128,
            pt.is_decimal256,
        ),
    }
    return any(check(kind) for check in checks[column.type.partition("(")[0]])


def _from_either(column: Column, name: str) -> str:
    # Values reach the query as text, or typed where nothing is left to judge.
    if column.type == "string":
        return name
    text = _from_text(column, f"cast({name} as varchar)")
    plain = f"try_cast({name} as {column.type})"
    return f"case when typeof({name}) = 'VARCHAR' then {text} else {plain} end"


def _from_parquet(column: Column, name: str) -> str:
    # Whatever came as text through `parquet_rows` (floats, wide decimals) is cast like text.
    if column.type.startswith("decimal"):
        return _from_either(column, name)
    return f"try_cast({name} as {column.type.replace('string', 'varchar')})"


def _fits(column: Column, values: pa.ChunkedArray, limit: int) -> bool:
    if values.null_count == len(values):
        return True
    if values.type != column.arrow:
        return False
    if column.type == "string":
        # Bytes bound characters from above; a pseudonym's length is that of its digest.
        longest = pc.max(pc.binary_length(values)).as_py()
        return bool(column.pseudonymised or longest <= limit)
    if column.type in _BOUNDS:
        found = pc.min_max(values.cast(_BOUND_TYPES[column.type])).as_py()
        low, high = _BOUNDS[column.type]
        return bool(low <= found["min"] and found["max"] <= high)
    return True


def plain_timestamps(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Times of texts that all read ``YYYY-MM-DDThh:mm:ss[.ffffff]``, all with a Z or all without.

    Arrow casts these at once and as strictly as the query does. Any other form, hours without
    minutes and offsets among them, is the query's to judge.

    Returns:
        UTC timestamps in microseconds, or None when some text is of another form.
    """
    if texts.type != pa.string() or texts.null_count == len(texts):
        return None
    zulu = pc.ends_with(texts, "Z")
    all_zulu = pc.all(zulu).as_py()
    if not all_zulu and pc.any(zulu).as_py():
        return None
    sizes = pc.min_max(pc.binary_length(texts)).as_py()
    extra = 1 if all_zulu else 0
    if sizes["min"] < _SECONDS + extra or sizes["max"] > _MICROSECONDS + extra:
        return None
    try:
        if all_zulu:
            return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


class Judge:
    """Casts and judges chunks of one table.

    Args:
        table: contract of the rows.
        landed_at: UTC timestamp given to rows without ``ingested_at``, as ISO text.
        connect_to: gives the engine to use once one is needed; a new one by default.
    """

    def __init__(
        self,
        table: Table,
        landed_at: str,
        connect_to: Callable[[], duckdb.DuckDBPyConnection] | None = None,
    ) -> None:
        self.table = table
        self._landed_at = datetime.fromisoformat(landed_at)
        self._connect = connect_to or connect

    # Most chunks need no query: neither an engine nor the text of one is made before its time.
    @cached_property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """The engine, which knows the time of landing as table ``run``."""
        engine = self._connect()
        moment = _literal(self._landed_at.isoformat())
        engine.execute(f"create or replace table run as select timestamp {moment} as landed_at")
        return engine

    @cached_property
    def _limits(self) -> dict[str, int]:
        return {column.name: column.length_limit for column in self.table.columns}

    @cached_property
    def _text_query(self) -> str:
        casts = {column.name: _from_either(column, column.name) for column in self.table.columns}
        return _query(self.table, casts)

    @cached_property
    def _parquet_query(self) -> str:
        casts = {column.name: _from_parquet(column, column.name) for column in self.table.columns}
        return _query(self.table, casts)

    def _run(self, query: str, rows: pa.Table) -> pa.Table:
        self.engine.register("rows", rows)
        try:
            return self.engine.execute(query).to_arrow_table()
        finally:
            self.engine.unregister("rows")

    def judge_text(self, rows: pa.Table) -> pa.Table:
        """Typed columns and reason of rows of text (:meth:`TextRows.table`), in row order."""
        for position, column in enumerate(self.table.columns):
            if column.type == "timestamp":
                moments = plain_timestamps(rows.column(position))
                if moments is not None:
                    rows = rows.set_column(position, column.name, moments)
        if self.conforms(rows):
            return self._completed(rows)
        return self._run(self._text_query, rows)

    def judge_parquet(self, rows: pa.Table) -> pa.Table:
        """The same for rows that :meth:`parquet_rows` prepared."""
        if self.conforms(rows):
            return self._completed(rows)
        return self._run(self._parquet_query, rows)

    def conforms(self, rows: pa.Table) -> bool:
        """Nothing is to be cast, and nothing more can be wrong."""
        return all(
            _fits(column, rows.column(column.name), self._limits[column.name])
            for column in self.table.columns
        )

    def _completed(self, rows: pa.Table) -> pa.Table:
        for position, column in enumerate(self.table.columns):
            values = rows.column(position)
            if values.null_count == len(values) and values.type != column.arrow:
                values = pa.nulls(len(values), column.arrow)
            filler = self._landed_at if column.name == "ingested_at" else column.default
            if filler is not None and values.null_count:
                values = pc.fill_null(values, pa.scalar(filler, column.arrow))
            rows = rows.set_column(position, column.name, values)
        return rows

    def parquet_rows(self, batch: pa.Table, reasons: list[str | None] | None) -> pa.Table:
        """Contract columns of a Parquet batch plus ``reason``.

        Floats become the shortest text that gives the same double, so that 0.1 is the decimal 0.1
        and not a neighbour of it.
        """
        count = batch.num_rows
        arrays: list[Any] = []
        for column in self.table.columns:
            if column.name not in batch.column_names:
                arrays.append(pa.nulls(count, pa.string()))
                continue
            array = batch.column(column.name).combine_chunks()
            if isinstance(array, pa.ChunkedArray):
                array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0)
            if pt.is_dictionary(array.type):
                array = array.dictionary_decode()
            if pt.is_timestamp(array.type) and array.type.unit == "us" and array.type.tz:
                # What is stored is the UTC instant already, whatever zone it is shown in.
                array = array.view(pa.timestamp("us"))
            if pt.is_large_string(array.type) or pt.is_string_view(array.type):
                array = array.cast(pa.string())
            if pt.is_float64(array.type):
                decimals = exact_decimals(array, column.arrow)
                array = array if decimals is None else decimals
            if pt.is_floating(array.type):
                named = pa.table({"value": array})
                text = self._run("select cast(value as varchar) as value from rows", named)
                array = plain_decimals(text.column("value").combine_chunks())
            elif pt.is_decimal256(array.type):
                array = array.cast(pa.string())
            arrays.append(array)
        reason = pa.nulls(count, pa.string()) if reasons is None else pa.array(reasons, pa.string())
        return pa.table(
            [*arrays, reason], names=[*(column.name for column in self.table.columns), "reason"]
        )

    def fingerprint(self, rows: pa.Table) -> list[tuple[date, int, int]]:
        """Count and order-free hash of accepted rows by UTC day of the business time.

        The same on every machine, whatever the order and however the rows are cut; see
        :mod:`plumbline.landing.fingerprint`.
        """
        return fingerprint(self.table, rows)
