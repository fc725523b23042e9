"""Where rows go: one file a table and landing day, written as the days pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from plumbline.contract.model import contract, table
from plumbline.errors import PlumblineError
from plumbline.simulate.arrays import MS_DAY
from plumbline.simulate.dirt import Spoiler
from plumbline.simulate.settings import Settings

# Ids that differ on every row gain nothing from a Parquet dictionary.
_UNIQUE = {
    "event_id", "response_id", "rating_id", "comparison_id", "order_id", "assessment_id",
    "action_id", "event_time", "ingested_at", "responded_at", "rated_at", "revenue_usd",
    "engaged_seconds",
}  # fmt: skip


# Rows from which a part is a row group of its own.
_LARGE = 20_000


def copy_text(rows: pa.Table, path: Path, name: str, fmt: str) -> None:
    """Write rows as CSV or NDJSON with millisecond times; text is quoted only where needed.

    Args:
        rows: rows of one table, plain or dictionary encoded.
        path: file to write.
        name: table of the contract, for the column types.
        fmt: csv or ndjson.
    """
    columns = []
    for column in table(name).columns:
        if column.type == "timestamp":
            columns.append(f"strftime({column.name}, '%Y-%m-%d %H:%M:%S.%g') as {column.name}")
        else:
            columns.append(column.name)
    options = "format csv, header true" if fmt == "csv" else "format json"
    connection = duckdb.connect()
    try:
        connection.execute("set threads = 1")
        connection.register("rows", rows)
        target = str(path).replace("'", "''")
        connection.execute(
            f"copy (select {', '.join(columns)} from rows) to '{target}' ({options})"
        )
    finally:
        connection.close()


class Writer:
    """Routes rows to the file of the day they land, adding dirt on the way.

    Rows that land on a later day wait in memory; they are a few percent of a few days.
    """

    def __init__(self, settings: Settings, out: Path) -> None:
        self.settings, self.out = settings, out
        self.names = settings.tables or tuple(contract())
        self.landed: Counter[str] = Counter()
        self.superseded: Counter[str] = Counter()
        self.spoiler = Spoiler(settings)
        self._waiting: dict[str, dict[int, list[pa.Table]]] = defaultdict(lambda: defaultdict(list))
        self._schema = {name: table(name).schema for name in self.names}
        self._physical: dict[str, pa.Schema] = {}
        self._files: dict[str, pq.ParquetWriter] = {}
        self._text: dict[str, list[pa.Table]] = defaultdict(list)
        self._prepare()

    def _prepare(self) -> None:
        for name in self.names:
            table(name)
            folder = self.out / name
            if folder.is_dir() and any(folder.iterdir()):
                raise PlumblineError(
                    f"{folder} already holds files; mixing two runs would mix their ids.",
                    "Name an empty folder with --out, or remove the old run.",
                )
            if self.settings.format == "seed":
                continue
            folder.mkdir(parents=True, exist_ok=True)
            if self.settings.format == "parquet":
                pq.write_table(table(name).schema.empty_table(), folder / "0-contract.parquet")

    def emit(self, name: str, rows: pa.Table, day: int, superseded: int = 0) -> None:
        """Take clean rows of one table.

        Args:
            name: table of the contract.
            rows: its columns with ``ingested_at``, complete and clean.
            day: current day of the run; rows that land later wait.
            superseded: rows of these that an accepted later version of the same key replaces.
        """
        if name not in self.names or rows.num_rows == 0:
            return
        self.superseded[name] += superseded
        self._physical.setdefault(name, rows.schema)
        dirt = self.spoiler.spoil(name, rows)
        for part in (rows, pa.concat_tables(dirt) if dirt else rows.slice(0, 0)):
            if part.num_rows:
                self.landed[name] += part.num_rows
                self._route(name, part, day)

    def _route(self, name: str, rows: pa.Table, day: int) -> None:
        if rows.num_rows < _LARGE:
            # Decoded: a handful of rows must not drag along the dictionary of a whole block.
            rows = rows.cast(self._schema[name])
        last = self.settings.days - 1
        landed = pc.cast(rows.column("ingested_at"), pa.int64()).to_numpy()
        bounds = np.array([landed.min(), landed.max()]) // (MS_DAY * 1000)
        low, high = np.clip(bounds - self.settings.first_day, day, last)
        if low == high:
            self._hold(name, rows, int(low), day)
            return
        due = np.clip(landed // (MS_DAY * 1000) - self.settings.first_day, day, last)
        for later in range(int(low), int(high) + 1):
            part = rows.filter(pa.array(due == later))
            self._hold(name, part, later, day)

    def _hold(self, name: str, rows: pa.Table, due: int, day: int) -> None:
        """Write a large part at once; small ones wait and make one row group together."""
        if due == day and rows.num_rows >= _LARGE:
            self._write(name, rows, day)
        elif rows.num_rows:
            self._waiting[name][due].append(rows.cast(self._schema[name]))

    def end_day(self, day: int) -> None:
        """Write what waited for this day and close its files."""
        for name in list(self._waiting):
            parts = self._waiting[name].pop(day, [])
            if parts:
                self._write(name, self._encoded(name, pa.concat_tables(parts)), day)
        for file in self._files.values():
            file.close()
        self._files.clear()
        if self.settings.format in ("csv", "ndjson"):
            for name, parts in self._text.items():
                path = self.out / name / f"{self._stem(day)}.{self.settings.format}"
                copy_text(join(name, parts), path, name, self.settings.format)
            self._text.clear()

    def collected(self) -> Mapping[str, pa.Table]:
        """All rows by table, for the format ``seed`` that keeps them in memory."""
        return {name: join(name, self._text[name]) for name in self.names}

    def _stem(self, day: int) -> date:
        return self.settings.date_of(day)

    def _encoded(self, name: str, rows: pa.Table) -> pa.Table:
        """Rows with the dictionary columns that the table's other row groups have."""
        rows = rows.combine_chunks()
        for place, field in enumerate(self._physical[name]):
            if pa.types.is_dictionary(field.type):
                rows = rows.set_column(place, field, rows.column(place).dictionary_encode())
        return rows

    def _write(self, name: str, rows: pa.Table, day: int) -> None:
        if rows.num_rows == 0:
            return
        if self.settings.format != "parquet":
            self._text[name].append(rows)
            return
        if name not in self._files:
            encoded = [field.name for field in rows.schema if field.name not in _UNIQUE]
            # Dictionary columns are an encoding here: without the stored Arrow schema a reader
            # sees the contract's plain types.
            self._files[name] = pq.ParquetWriter(
                self.out / name / f"{self._stem(day)}.parquet",
                rows.schema,
                compression="snappy",
                use_dictionary=encoded,
                store_schema=False,
                store_decimal_as_integer=True,
                write_statistics=["event_time", "ingested_at"],
            )
        self._files[name].write_table(rows)


def join(name: str, parts: list[pa.Table]) -> pa.Table:
    """One plain table in the contract's types."""
    schema = table(name).schema
    return pa.concat_tables([part.cast(schema) for part in parts] or [schema.empty_table()])
