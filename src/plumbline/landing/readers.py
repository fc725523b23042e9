"""One inbox file into one prepared load, per format."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from plumbline.contract.model import Table
from plumbline.contract.model import table as contract_table
from plumbline.landing.judge import Judge, accepts
from plumbline.landing.lines import read_lines
from plumbline.landing.rows import CsvRecords, CsvRows, JsonRows, Record, csv_cells, exact, hide
from plumbline.landing.writer import Load, LoadWriter, Prepared
from plumbline.project import setting

_BATCH_ROWS = 65_536
_CSV_RECORDS = 50_000
_MIN_GROUP_ROWS = 50_000


class UnreadableError(Exception):
    """A file that cannot be read as a whole; the text says why."""


@contextmanager
def _no_collection() -> Iterator[None]:
    # Millions of short-lived dictionaries make the cycle collector walk the heap for nothing.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def column_warnings(table: Table, seen: set[str], path: str) -> list[str]:
    """What is odd about the columns of a file: unknown ones, and required ones that lack."""
    unknown = sorted(str(name) for name in seen - set(table.by_name))
    shown = ", ".join(name[:60] for name in unknown[:10])
    more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
    warnings = [f"{path}: {table.name} has no column {shown}{more}; ignored."] if unknown else []
    missing = [
        column.name
        for column in table.columns
        if column.required
        and column.default is None
        and column.name != "ingested_at"
        and column.name not in seen
    ]
    if missing:
        warnings.append(
            f"{path}: required column {', '.join(missing)} is missing; "
            "staging quarantines these rows."
        )
    return warnings


def split(judged: pa.Table) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Accepted rows without their reason column, and position and reason of the others."""
    reason = judged.column("reason")
    rows = judged.drop_columns(["reason"])
    if reason.null_count == len(reason):
        return rows, []
    bad = pc.indices_nonzero(pc.is_valid(reason)).to_pylist()
    texts = reason.to_pylist()
    return rows.filter(pc.is_null(reason)), [(index, texts[index]) for index in bad]


def land_ndjson(load: Load, source: Path, judge: Judge) -> Prepared:
    """Land a file of one JSON object a line."""
    table = contract_table(load.table)
    max_bytes = int(setting("max_line_bytes"))
    reader = JsonRows(table, load.salt)
    seen: set[str] = set()
    count = objects = 0
    with source.open("rb") as stream, LoadWriter(table, load, judge) as writer, _no_collection():
        for chunk in read_lines(stream, max_bytes):
            count += chunk.count
            for number, line in chunk.too_long:
                writer.reject(number, "too_long:row", line)
            if not chunk.lines:
                continue
            rows = reader.read(chunk.lines)
            seen |= rows.seen
            objects += len(chunk.lines)
            accepted, rejected = split(judge.judge_text(rows.table(table)))
            writer.accept(accepted)
            for index, reason in rejected:
                line = chunk.lines[index].rstrip(b"\r")
                row = exact(line)[0] if writer.masks else None
                writer.reject(chunk.numbers[index], reason, line, row)
        prepared = writer.close(count)
    if seen:
        prepared.warnings += column_warnings(table, seen, load.path)
    return prepared


def read_header(line: bytes) -> list[str]:
    """Column names of a CSV file.

    Raises:
        UnreadableError: the line is not UTF-8, no CSV, or names a column twice.
    """
    try:
        text = line.rstrip(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("the header line is not UTF-8") from error
    cells = csv_cells(text)
    if cells is None:
        raise UnreadableError("the header line is not CSV")
    header = [cell.strip() for cell in cells]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableError(f"the header names {', '.join(twice)} more than once")
    return header


def land_csv(load: Load, source: Path, judge: Judge, accept_unterminated: bool) -> Prepared:
    """Land a CSV file with a header line."""
    table = contract_table(load.table)
    max_bytes = int(setting("max_line_bytes"))
    with source.open("rb") as stream, _no_collection():
        chunks = read_lines(stream, max_bytes, keep_blank=True)
        header: list[str] | None = None
        lines: list[tuple[int, bytes]] = []
        chunk = None
        for chunk in chunks:
            lines = list(zip(chunk.numbers, chunk.lines, strict=True))
            while lines and (not lines[0][1] or lines[0][1].isspace()):
                lines.pop(0)
            if chunk.too_long and not (lines and lines[0][0] < chunk.too_long[0][0]):
                raise UnreadableError("the header line is longer than max_line_bytes")
            if lines:
                header = read_header(lines.pop(0)[1])
                break
        if header is not None and not set(header) & set(table.by_name):
            raise UnreadableError(f"the header names no column of {table.name}")
        reader = CsvRows(table, header or [], load.salt)
        records = CsvRecords(len(header or []), max_bytes)
        count, warnings = 0, []
        with LoadWriter(table, load, judge, header) as writer:
            while header is not None and chunk is not None:
                count += sum(1 for _, line in lines if line and not line.isspace())
                count += len(chunk.too_long)
                for number, line in chunk.too_long:
                    writer.reject(number, "too_long:row", line)
                torn = chunk.unterminated and not accept_unterminated and bool(lines)
                torn_line = lines.pop() if torn else None
                following = next(chunks, None)
                found = records.feed(lines, last=following is None and torn_line is None)
                count -= _take_csv(writer, judge, reader, found)
                if torn_line is not None:
                    rest = records.feed([torn_line], last=True)
                    pieces = list(rest)
                    last = pieces.pop()
                    last.reason = "torn_row"
                    count -= _take_csv(writer, judge, reader, iter([*pieces, last]))
                    warnings.append(
                        f"{load.path}: the last line has no newline and may be torn; rejected as "
                        "torn_row (--accept-unterminated takes it)."
                    )
                chunk = following
                if chunk is not None:
                    lines = list(zip(chunk.numbers, chunk.lines, strict=True))
            prepared = writer.close(count)
    if header is not None:
        prepared.warnings += column_warnings(table, set(header), load.path)
    prepared.warnings += warnings
    return prepared


def _take_csv(writer: LoadWriter, judge: Judge, reader: CsvRows, found: Iterator[Record]) -> int:
    """Judge records; returns how many more lines than records they took."""
    surplus = 0
    while records := list(islice(found, _CSV_RECORDS)):
        surplus += sum(record.line_count - 1 for record in records)
        rows = reader.read(records)
        accepted, rejected = split(judge.judge_text(rows.table(reader.table)))
        writer.accept(accepted)
        for index, reason in rejected:
            record = records[index]
            row = dict(zip(reader.header, record.cells, strict=False)) or None
            cells = {name: cell for name, cell in row.items() if cell} if row else None
            writer.reject(record.number, reason, record.raw.removesuffix(b"\r"), cells)
    return surplus


def parquet_file(source: Path) -> Any:
    """Open a Parquet file.

    Raises:
        UnreadableError: it is none.
    """
    try:
        return pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(f"no Parquet file: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """First line of an error's text, of bearable length."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def batches(file: Any) -> Iterator[Any]:
    """Decode a Parquet file wholly: every page of every column.

    Raises:
        UnreadableError: a page is damaged.
    """
    try:
        for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise UnreadableError(f"damaged Parquet data: {first_line(error)}") from error


def land_parquet(load: Load, source: Path, judge: Judge) -> Prepared:
    """Land a Parquet file whose columns widen to the contract's types without loss.

    Raises:
        UnreadableError: damaged, or a column has another type.
    """
    table = contract_table(load.table)
    file = parquet_file(source)
    schema = file.schema_arrow
    names = list(schema.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableError(f"column {', '.join(twice)} stands in it more than once")
    if names and not set(names) & set(table.by_name):
        raise UnreadableError(f"it has no column of {table.name}")
    for column in table.columns:
        if column.name in names and not accepts(column, schema.field(column.name).type):
            kind = schema.field(column.name).type
            raise UnreadableError(
                f"column {column.name} is {kind}, the contract says {column.type}"
            )
    prepared = _land_copied(load, source, judge, file) or _land_encoded(load, judge, file)
    prepared.warnings += column_warnings(table, set(names), load.path)
    return prepared


def _land_copied(load: Load, source: Path, judge: Judge, file: Any) -> Prepared | None:
    """Land a clean file that is in the contract's schema already by copying its bytes.

    Every page is decoded and every row judged all the same; only writing them anew is spared. None where
    the file is another, or a row is found that has to be rejected or completed: then nothing was
    written, and the file is landed the general way.
    """
    table = contract_table(load.table)
    # Without the producer's metadata: what a footer says beside its columns is no part of the contract.
    same = file.schema_arrow.remove_metadata().equals(table.schema)
    if not same or _small_groups(file) or any(column.pseudonymised for column in table.columns):
        return None
    filled = [column.name for column in table.columns if column.default]
    filled.append("ingested_at")
    count = 0
    with LoadWriter(table, load, judge) as writer:
        for batch in batches(file):
            clean = (
                _bad_text(table, batch) is None
                and judge.conforms(batch)
                and not any(batch[name].null_count for name in filled)
            )
            if not clean:
                writer.discard()
                return None
            writer.count(batch)
            count += batch.num_rows
        if count:
            writer.copy(source)
        return writer.close(count)


def _small_groups(file: Any) -> bool:
    """Many small row groups make a lake that is slow to read: they are put together anew."""
    groups: int = file.num_row_groups
    return groups > 1 and file.metadata.num_rows < groups * _MIN_GROUP_ROWS


def _land_encoded(load: Load, judge: Judge, file: Any) -> Prepared:
    """Land a Parquet file by writing its accepted rows anew."""
    table = contract_table(load.table)
    names = list(file.schema_arrow.names)
    count = 0
    with LoadWriter(table, load, judge) as writer:
        for batch in batches(file):
            reasons = _bad_text(table, batch)
            batch_rows = batch if reasons is None else _blank(table, batch, reasons)
            hidden = [c for c in table.columns if c.pseudonymised and c.name in names]
            if hidden:
                batch_rows, reasons = _hide(batch_rows, hidden, reasons, load.salt or "")
            judged = judge.judge_parquet(judge.parquet_rows(batch_rows, reasons))
            accepted, rejected = split(judged)
            writer.accept(accepted)
            for index, reason in rejected:
                row = _row(batch, index)
                line = json.dumps(row, default=str, ensure_ascii=False)
                payload = line.encode("utf-8", "surrogateescape")
                writer.reject(count + index + 1, reason, payload, row)
            count += batch.num_rows
        return writer.close(count)


def _bad_text(table: Table, batch: Any) -> list[str | None] | None:
    """``invalid_utf8`` for rows whose text is none; None when all is well (the usual case)."""
    reasons: list[str | None] | None = None
    for column in table.columns:
        if column.type != "string" or column.name not in batch.column_names:
            continue
        values = batch.column(column.name)
        if pt.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            reasons = reasons or [None] * batch.num_rows
            for index, raw in enumerate(values.cast(pa.large_binary()).to_pylist()):
                try:
                    (raw or b"").decode("utf-8")
                except UnicodeDecodeError:
                    reasons[index] = "invalid_utf8"
    return reasons


def _blank(table: Table, batch: Any, reasons: list[str | None]) -> Any:
    """The batch with nulls in the texts of rows that are rejected already."""
    keep = pa.array([reason is None for reason in reasons])
    for position, name in enumerate(batch.column_names):
        column = table.by_name.get(name)
        if column is None or column.type != "string":
            continue
        values = batch.column(name)
        if pt.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        raw = values.cast(pa.large_binary()).combine_chunks()
        kept = pc.if_else(keep, raw, pa.scalar(None, pa.large_binary())).cast(pa.large_string())
        batch = batch.set_column(position, name, kept)
    return batch


def _hide(
    batch: Any, hidden: Iterable[Any], reasons: list[str | None] | None, salt: str
) -> tuple[Any, list[str | None]]:
    known = reasons or [None] * batch.num_rows
    for column in hidden:
        values = batch.column(column.name).to_pylist()
        hide(column, values, known, salt, False)
        position = batch.column_names.index(column.name)
        batch = batch.set_column(position, column.name, pa.array(values, pa.string()))
    return batch, known


def _row(batch: Any, index: int) -> dict[str, Any]:
    """One row as plain values, for the payload of a reject."""
    row: dict[str, Any] = {}
    for name in batch.column_names:
        value = batch.column(name)[index]
        try:
            row[name] = value.as_py()
        except UnicodeDecodeError:
            row[name] = value.cast(pa.large_binary()).as_py().decode("utf-8", "surrogateescape")
        except (ValueError, OverflowError, pa.ArrowException):
            # A time no calendar holds: its number is kept, and stays no time when judged again.
            row[name] = str(value.value)
    return row


def inspect_direct(source: Path, judge: Judge) -> dict[str, Any]:
    """Check and fingerprint a Parquet file that a sink wrote into the lake.

    Returns:
        ``rows``, ``days`` (ISO day, rows, hash) and ``warnings``.

    Raises:
        UnreadableError: damaged, or not in the contract's types.
    """
    table = judge.table
    file = parquet_file(source)
    schema = file.schema_arrow
    label = f"{table.name}/{source.name}"
    if schema.names and not set(schema.names) & set(table.by_name):
        raise UnreadableError(f"it has no column of {table.name}")
    for column in table.columns:
        if column.name in schema.names:
            kind = schema.field(column.name).type
            plain = kind.value_type if pt.is_dictionary(kind) else kind
            if pt.is_large_string(plain) or pt.is_string_view(plain):
                plain = pa.string()
            if plain != column.arrow:
                raise UnreadableError(
                    f"column {column.name} is {kind}, the lake needs {column.arrow}"
                )
    warnings = column_warnings(table, set(schema.names), label)
    hidden = [c.name for c in table.columns if c.pseudonymised and c.name in schema.names]
    days: dict[str, list[int]] = {}
    rows = 0
    needed = list(dict.fromkeys((*table.key, table.time)))
    bare: list[str] = []
    for batch in batches(file):
        rows += batch.num_rows
        if _bad_text(table, batch) is not None:
            raise UnreadableError("a text in it is not UTF-8")
        columns = [
            batch.column(name)
            if name in batch.column_names
            else pa.nulls(batch.num_rows, table.by_name[name].arrow)
            for name in needed
        ]
        try:
            found = judge.fingerprint(pa.table(columns, names=needed))
        except OverflowError as error:
            raise UnreadableError(
                f"{table.time} holds a time outside the years 1 to 9999"
            ) from error
        for day, count, total in found:
            entry = days.setdefault(day.isoformat(), [0, 0])
            entry[0] += count
            entry[1] += total
        for name in hidden:
            shaped = pc.match_substring_regex(
                batch.column(name).cast(pa.string()), "^[0-9a-f]{32}$"
            )
            if not bare and not pc.all(shaped, min_count=0).as_py():
                bare.append(name)
    warnings += [f"{label}: {name} does not look pseudonymised." for name in bare]
    return {
        "rows": rows,
        "days": [[day, *entry] for day, entry in sorted(days.items())],
        "warnings": warnings,
    }
