"""Where rows go: one file a table and landing day, written as the days pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
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
        rows = self.spoiler.spoil(name, rows, day)
        self.landed[name] += rows.num_rows
        self.superseded[name] += superseded
        landed = _landing_days(rows, self.settings)
        last = self.settings.days - 1
        due = np.clip(landed, day, last)
        here = due == day
        if bool(here.all()):
            self._write(name, rows, day)
            return
        self._write(name, rows.filter(pa.array(here)), day)
        for later in np.unique(due[~here]):
            part = rows.filter(pa.array(due == later)).combine_chunks()
            self._waiting[name][int(later)].append(part)

    def end_day(self, day: int) -> None:
        """Write what waited for this day and close its files."""
        for name in list(self._waiting):
            for rows in self._waiting[name].pop(day, []):
                self._write(name, rows, day)
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
                write_statistics=["event_time", "ingested_at"],
            )
        self._files[name].write_table(rows)


def join(name: str, parts: list[pa.Table]) -> pa.Table:
    """One plain table in the contract's types."""
    schema = table(name).schema
    return pa.concat_tables([part.cast(schema) for part in parts] or [schema.empty_table()])


def _landing_days(rows: pa.Table, settings: Settings) -> npt.NDArray[np.int64]:
    micros = pc.cast(rows.column("ingested_at"), pa.int64()).to_numpy()
    return np.asarray(micros // (MS_DAY * 1000) - settings.first_day)
