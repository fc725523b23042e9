"""One load on its way into the lake: data, rejects and fingerprints under temporary names."""

from __future__ import annotations

import ctypes
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from plumbline.contract.model import Table
from plumbline.errors import PlumblineError
from plumbline.landing import lake as store
from plumbline.landing.fingerprint import VERSION, VERSION_KEY
from plumbline.landing.judge import Judge
from plumbline.landing.rows import masked
from plumbline.project import setting

_GROUP_ROWS = 500_000
_GROUP_BYTES = 64 << 20
_SAMPLE_ROWS = 20_000
# Distinct values a row, above which a column counts as made of unique values.
_REPEATED_SHARE = 0.5
_REJECT_ROWS = 5_000
_REJECT_BYTES = 8 << 20


@dataclass(frozen=True)
class Load:
    """What is landed: file, its place in the lake and the run it belongs to.

    Attributes:
        file_id: SHA-256 of the file.
        load_id: stem of its lake file.
        path: path below the inbox.
        table: name of the table.
        format: ndjson, csv or parquet.
        landed_at: UTC time of the run, ISO text without zone.
        lake: folder of the lake.
        salt: key of pseudonymised columns.
        rejects_name: stem of the rejects file when it is not that of the load.
    """

    file_id: str
    load_id: str
    path: str
    table: str
    format: str
    landed_at: str
    lake: str
    salt: str | None = None
    rejects_name: str | None = None


@dataclass
class Prepared:
    """A load that is wholly written and only waits for its final names.

    Attributes:
        line_count: non-blank lines read.
        accepted: rows written.
        rejected: lines kept in rejects.
        reasons: rejected lines by reason.
        warnings: what is odd about the file as a whole.
        moves: temporary and final path of each file, in the order of publication.
    """

    line_count: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)

    def publish(self) -> None:
        """Give every file its final name, data first."""
        for source, final in self.moves:
            store.publish(Path(source), Path(final))

    def discard(self) -> None:
        """Remove the temporary files."""
        for source, _ in self.moves:
            Path(source).unlink(missing_ok=True)


def _give_back() -> None:
    """Return freed memory to the system: glibc keeps the holes between small buffers otherwise,
    and memory would grow with the file.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def encoded(line: bytes, cut: bool = False) -> tuple[str, str]:
    """Payload of a rejected line and its encoding: the text, or hex where it is not UTF-8.

    Args:
        line: the line without its newline.
        cut: the line was cut, perhaps inside a character; that broken end is dropped.
    """
    try:
        return line.decode("utf-8"), "utf8"
    except UnicodeDecodeError as error:
        if cut and error.start >= len(line) - 3:
            return line[: error.start].decode("utf-8"), "utf8"
        return line.hex(), "hex"


class LoadWriter:
    """Writes the three files of a load; use as a context manager, then :meth:`close`.

    Args:
        table: contract of the rows.
        load: what is landed.
        judge: engine for fingerprints.
        header: column names of a CSV file, kept with its rejects.
    """

    def __init__(
        self, table: Table, load: Load, judge: Judge, header: list[str] | None = None
    ) -> None:
        self.table, self.load, self.judge, self.header = table, load, judge, header
        self.prepared = Prepared()
        self._max_bytes = int(setting("max_line_bytes"))
        self.masks = any(column.pseudonymised for column in table.columns)
        lake = Path(load.lake)
        name = store.stem(table.name, load.load_id)
        self._data = lake / table.name / f"{load.load_id}.parquet"
        self._rejects = (
            store.landing_folder(lake, "rejects") / f"{load.rejects_name or name}.parquet"
        )
        self._fingerprints = store.landing_folder(lake, "fingerprints") / f"{name}.parquet"
        self._unique = {*table.key[:1], table.time}
        self._data_writer: Any = None
        self._copied = False
        self._reject_writer: Any = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._reject_rows: list[dict[str, Any]] = []
        self._reject_bytes = 0
        self._days: dict[date, tuple[int, int]] = {}
        self._reasons: Counter[str] = Counter()
        self._reject_schema = store.landing_schema("landing_rejects")

    def __enter__(self) -> LoadWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            for writer in (self._data_writer, self._reject_writer):
                if writer is not None:
                    writer.close()
            for final in (self._data, self._rejects, self._fingerprints):
                store.temporary(final).unlink(missing_ok=True)

    def copy(self, source: Path) -> None:
        """Take the bytes of a file whose rows were counted as the data file."""
        shutil.copyfile(source, store.temporary(self._data))
        self._copied = True

    def discard(self) -> None:
        """Forget what was counted, so that nothing of it is published."""
        self._days.clear()
        self.prepared.accepted = 0

    def accept(self, rows: pa.Table) -> None:
        """Take typed rows."""
        if not rows.num_rows:
            return
        self.count(rows)
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self._waiting_bytes += rows.nbytes
        if self._waiting_rows >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
            self._flush_data()

    def count(self, rows: pa.Table) -> None:
        """Count and fingerprint typed rows that are written elsewhere."""
        for day, count, total in self.judge.fingerprint(rows):
            before = self._days.get(day, (0, 0))
            self._days[day] = (before[0] + count, before[1] + total)
        self.prepared.accepted += rows.num_rows

    def _flush_data(self) -> None:
        if not self._waiting:
            return
        schema = self.table.schema
        rows = pa.concat_tables(self._waiting).cast(schema)
        if self._data_writer is None:
            marked = schema.with_metadata({store.FILE_ID_KEY: self.load.file_id.encode()})
            self._data_writer = pq.ParquetWriter(
                store.temporary(self._data),
                marked,
                compression="zstd",
                # Level 3 takes twice the time for the same bytes.
                compression_level=1,
                write_page_checksum=True,
                use_dictionary=self._repeated(rows),
            )
        self._data_writer.write_table(rows, row_group_size=2 * _GROUP_ROWS)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        del rows
        _give_back()

    def _repeated(self, rows: pa.Table) -> list[str]:
        """Columns whose values repeat: a dictionary of others is built and thrown away."""
        sample = rows.slice(0, _SAMPLE_ROWS)
        return [
            name
            for name in rows.column_names
            if name not in self._unique
            and pc.count_distinct(sample.column(name)).as_py() <= sample.num_rows * _REPEATED_SHARE
        ]

    def reject(
        self, number: int, reason: str, line: bytes, row: dict[str, Any] | None = None
    ) -> None:
        """Keep one line.

        Args:
            number: line number in the file, from 1.
            reason: why it is rejected.
            line: its bytes.
            row: the row it parsed to, where it did; needed to mask identifiers.
        """
        if self.masks:
            payload, encoding = masked(self.table, row, line, reason, self.load.salt or ""), "utf8"
        else:
            payload, encoding = encoded(line[: self._max_bytes], len(line) >= self._max_bytes)
        self.prepared.rejected += 1
        self._reasons[reason] += 1
        self._reject_rows.append(
            {
                "file_id": self.load.file_id,
                "load_id": store.family(self.load.load_id)[0],
                "path": self.load.path,
                "table_name": self.table.name,
                "line_number": number,
                "reason": reason,
                "payload": payload,
                "payload_encoding": encoding,
                "rejected_at": datetime.fromisoformat(self.load.landed_at),
            }
        )
        self._reject_bytes += len(payload)
        if len(self._reject_rows) >= _REJECT_ROWS or self._reject_bytes >= _REJECT_BYTES:
            self.flush_rejects()

    def keep(self, reject: dict[str, Any]) -> None:
        """Keep a reject of an earlier run as it is."""
        self.prepared.rejected += 1
        self._reasons[reject["reason"]] += 1
        self._reject_rows.append(reject)
        if len(self._reject_rows) >= _REJECT_ROWS:
            self.flush_rejects()

    def flush_rejects(self) -> None:
        """Write the rejects held in memory."""
        if not self._reject_rows:
            return
        if self._reject_writer is None:
            notes = {store.FILE_ID_KEY: self.load.file_id.encode()}
            if self.header is not None:
                notes[store.HEADER_KEY] = json.dumps(self.header).encode()
            self._reject_writer = pq.ParquetWriter(
                store.temporary(self._rejects),
                self._reject_schema.with_metadata(notes),
                compression="zstd",
                compression_level=3,
            )
        self._reject_writer.write_table(
            pa.Table.from_pylist(self._reject_rows, schema=self._reject_schema)
        )
        self._reject_rows, self._reject_bytes = [], 0

    def close(self, line_count: int) -> Prepared:
        """Finish the files.

        Args:
            line_count: non-blank lines the reader counted by itself.

        Raises:
            PlumblineError: a line is in neither or both of accepted and rejected.
        """
        prepared = self.prepared
        prepared.line_count, prepared.reasons = line_count, dict(self._reasons)
        if line_count != prepared.accepted + prepared.rejected:
            raise PlumblineError(
                f"{self.load.path}: {line_count} lines do not make {prepared.accepted} accepted"
                f" and {prepared.rejected} rejected; nothing of the file was landed.",
                "This is a fault of landing itself: keep the file and report it.",
            )
        self._flush_data()
        self.flush_rejects()
        for writer, final in (
            (self._data_writer, self._data),
            (self._reject_writer, self._rejects),
        ):
            if writer is not None:
                writer.close()
            if writer is not None or (final == self._data and self._copied):
                store.sync(store.temporary(final))
                prepared.moves.append((str(store.temporary(final)), str(final)))
        if self._days:
            rows = fingerprint_rows(self.table.name, {self.load.load_id: self._days})
            path = store.write_parquet(rows, self._fingerprints)
            prepared.moves.append((str(path), str(self._fingerprints)))
        return prepared


def fingerprint_rows(table: str, loads: dict[str, dict[date, tuple[int, int]]]) -> pa.Table:
    """Rows of ``landing_fingerprints`` for loads of one table: per load and day, count and hash."""
    rows = [
        {
            "table_name": table,
            "load_id": load_id,
            "landed_date": day,
            "row_count": count,
            "fingerprint": total,
        }
        for load_id, days in loads.items()
        for day, (count, total) in sorted(days.items())
    ]
    schema = store.landing_schema("landing_fingerprints")
    return pa.Table.from_pylist(rows, schema=schema.with_metadata({VERSION_KEY: VERSION}))
