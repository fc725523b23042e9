"""From the lines of a JSON or CSV file to columns of text, ready to be judged."""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice, repeat
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from plumbline.contract.model import Column, Table
from plumbline.landing import pseudonym
from plumbline.landing.decimals import exact_decimals

# Lines parsed at a time: few enough for their objects to stay in the processor's cache.
_SLICE_LINES = 512
# A quoted CSV field may span lines; beyond this many a quote is a stray one.
_MAX_RECORD_LINES = 1000
# Lines are bounded already; the reader's own limit would refuse long texts the contract allows.
csv.field_size_limit(1 << 30)
_EXPONENT = re.compile(r"-?(\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}")
_UNREADABLE = ("invalid_json", "not_an_object", "invalid_utf8", "invalid_csv", "torn_row")


class Number(str):
    """A JSON number as it was written, so that no digit is lost on the way to a decimal."""

    __slots__ = ()


class Constant(str):
    """NaN, Infinity or -Infinity as a bare JSON word: parsed, and never a value."""

    __slots__ = ()


@dataclass
class TextRows:
    """Rows of one chunk as text.

    Attributes:
        columns: contract column -> texts in row order, as a list or an array, or an array of the
            column's type; a column that never occurs is absent.
        reasons: what is known to be wrong with a row before its texts are judged, or None.
        seen: names of all columns that occurred, in the contract or not.
    """

    columns: dict[str, list[str | None] | pa.Array]
    reasons: list[str | None]
    seen: set[str] = field(default_factory=set)

    def table(self, table: Table) -> pa.Table:
        """The rows as an Arrow table of text: every contract column, then ``reason``."""
        count = len(self.reasons)
        arrays = []
        for column in table.columns:
            texts = self.columns.get(column.name)
            if texts is None:
                array = pa.nulls(count, pa.string())
            else:
                array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
            decimal = column.type.startswith("decimal") and array.type == pa.string()
            arrays.append(plain_decimals(array) if decimal else array)
        arrays.append(pa.array(self.reasons, pa.string()))
        return pa.table(arrays, names=[*(column.name for column in table.columns), "reason"])


def plain_decimals(texts: pa.Array) -> pa.Array:
    """Exponent notation written out, exactly: the engine's own reading of it loses digits."""
    if texts.null_count == len(texts):
        return texts
    marked = pc.match_substring(texts, "e", ignore_case=True)
    if not pc.any(marked).as_py():
        return texts
    return pa.array([None if t is None else _plain(t) for t in texts.to_pylist()], pa.string())


def _plain(text: str) -> str:
    return f"{Decimal(text):f}" if _EXPONENT.fullmatch(text) else text


def exact(line: bytes) -> tuple[Any, str | None]:
    """One line as JSON with numbers as text, and the reason when it is none.

    Accepts the bare words NaN and Infinity: they are JSON to many producers, and the column that
    holds one is then named.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None, "invalid_utf8"
    try:
        value = json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Constant)
    except (ValueError, RecursionError):
        return None, "invalid_json"
    return (value, None) if isinstance(value, dict) else (None, "not_an_object")


class JsonRows:
    """Reads JSON lines into text columns.

    Args:
        table: contract of the rows.
        salt: key of pseudonymised columns; required when the table has some.
        replay: lines are kept rejects, in which a pseudonym may stand already.
    """

    def __init__(self, table: Table, salt: str | None, replay: bool = False) -> None:
        self.table, self.salt, self.replay = table, salt, replay
        self._names = {column.name for column in table.columns}

    def read(self, lines: list[bytes]) -> TextRows:
        """Parse lines; one that is no JSON object gets its reason and empty columns."""
        parts = [
            self._read(lines[start : start + _SLICE_LINES])
            for start in range(0, len(lines), _SLICE_LINES)
        ]
        if len(parts) == 1:
            return parts[0]
        reasons = list(chain.from_iterable(part.reasons for part in parts))
        columns: dict[str, list[str | None] | pa.Array] = {}
        for name in self._names:
            arrays = [part.columns.get(name) for part in parts]
            if any(array is not None for array in arrays):
                columns[name] = _joined(arrays, [len(part.reasons) for part in parts])
        return TextRows(columns, reasons, set().union(*(part.seen for part in parts)))

    def _read(self, lines: list[bytes]) -> TextRows:
        documents: list[dict[str, Any]] = []
        reasons: list[str | None] = [None] * len(lines)
        loads, add = orjson.loads, documents.append
        odd = False
        for index, line in enumerate(lines):
            try:
                document = loads(line)
            except ValueError:
                document, reasons[index] = exact(line)
                odd = True
                add(document or {})
                continue
            if document.__class__ is dict:
                add(document)
            else:
                reasons[index] = "not_an_object"
                add({})
        seen: set[str] = set().union(*documents) if documents else set()
        columns: dict[str, list[str | None] | pa.Array] = {}
        for column in self.table.columns:
            name = column.name
            if name not in seen:
                continue
            values = list(map(dict.get, documents, repeat(name)))
            array = _typed(column, values)
            if array is None and not odd and not column.pseudonymised:
                array = _plain_texts(column, values)
            if array is None:
                texts = self._texts(column, values, lines, reasons)
                if odd:
                    _no_surrogates(column, texts, reasons)
                if column.pseudonymised:
                    hide(column, texts, reasons, self.salt or "", self.replay)
                array = pa.array(texts, pa.string())
            columns[name] = array
        return TextRows(columns, reasons, seen)

    def _texts(
        self, column: Column, values: list[Any], lines: list[bytes], reasons: list[str | None]
    ) -> list[str | None]:
        kinds = set(map(type, values))
        if kinds <= {str, type(None)}:
            if column.type != "string" and "" in values:
                values = [value or None for value in values]
        else:
            for index, value in enumerate(values):
                if value is None or value.__class__ is str:
                    if value == "" and column.type != "string":
                        values[index] = None
                    continue
                values[index], bad = self._text(column, value, lines[index])
                if bad and reasons[index] is None:
                    reasons[index] = f"invalid:{column.name}"
        return values

    def _text(self, column: Column, value: Any, line: bytes) -> tuple[str | None, bool]:
        if isinstance(value, bool):
            return ("true" if value else "false"), column.type == "string"
        if isinstance(value, int):
            return str(value), False
        if isinstance(value, float):
            text = repr(value)
            if column.type == "string" or not _is_exact(text, column):
                written, _ = exact(line)
                value = written[column.name]
                return str(value), not isinstance(value, Number)
            return text, False
        if isinstance(value, Number):
            return str(value), False
        return None, True


def _joined(arrays: list[Any], lengths: list[int]) -> pa.Array:
    """One column out of those of its slices; where they differ in type, all as text.

    The text of an integer, a decimal or a boolean is read back as the very same value.
    """
    kinds = {array.type for array in arrays if array is not None}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    return pa.concat_arrays(
        [
            pa.nulls(length, kind) if array is None else array.cast(kind)
            for array, length in zip(arrays, lengths, strict=True)
        ]
    )


def _typed(column: Column, values: list[Any]) -> pa.Array | None:
    """Values as the column's own type, when all of them are plain numbers or plain truth values."""
    numeric = column.type == "bigint" or column.type.startswith("decimal")
    if not numeric and column.type != "boolean":
        return None
    kinds = set(map(type, values))
    try:
        if column.type == "boolean":
            return pa.array(values, pa.bool_()) if kinds <= {bool, type(None)} else None
        if column.type == "bigint":
            return pa.array(values, pa.int64()) if kinds <= {int, type(None)} else None
        if not kinds <= {int, float, type(None)}:
            return None
        return exact_decimals(pa.array(values, pa.float64()), column.arrow)
    except (pa.ArrowInvalid, OverflowError):
        return None


def _plain_texts(column: Column, values: list[Any]) -> pa.Array | None:
    """Values as text, when all of them are; an empty one is null where the column is no text."""
    try:
        texts = pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None
    if column.type != "string" and len(texts) > texts.null_count:
        empty = pc.equal(pc.binary_length(texts), 0)
        if pc.any(empty).as_py():
            texts = pc.if_else(empty, pa.scalar(None, pa.string()), texts)
    return texts


def _is_exact(text: str, column: Column) -> bool:
    """The shortest text of a double rounds to the same decimal as the number as it was written.

    It does when it needs no rounding itself and the column's last digit is among the 15 that every
    double holds: then whatever was written lies within a fraction of that digit.
    """
    whole, _, fraction = text.partition(".")
    scale = column.arrow.scale if column.type.startswith("decimal") else 0
    return "e" not in text and len(fraction) <= max(scale, 1) and len(whole) + scale <= 15


def _no_surrogates(column: Column, values: list[Any], reasons: list[str | None]) -> None:
    r"""Half a surrogate pair (``"\ud800"``) is JSON but no text that can be stored."""
    try:
        pa.array(values, pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        for index, value in enumerate(values):
            try:
                (value or "").encode()
            except UnicodeEncodeError:
                values[index] = None
                reasons[index] = reasons[index] or f"invalid:{column.name}"


def hide(
    column: Column,
    values: list[str | None],
    reasons: list[str | None],
    salt: str,
    replay: bool,
) -> None:
    """Replace identifiers by their pseudonyms, in place; the length is judged before."""
    limit = column.length_limit
    for index, value in enumerate(values):
        if value is None:
            continue
        if len(value) > limit:
            values[index] = None
            reasons[index] = reasons[index] or f"too_long:{column.name}"
        elif replay and value.startswith(pseudonym.MARK):
            values[index] = value.removeprefix(pseudonym.MARK)
        else:
            values[index] = pseudonym.pseudonym(salt, value)


def masked(table: Table, row: dict[str, Any] | None, line: bytes, reason: str, salt: str) -> str:
    """What is kept of a rejected row of a table with pseudonymised columns.

    A row that parsed is kept as a JSON object of its contract columns with every identifier
    replaced by its marked pseudonym. Unknown columns are left out and nested values emptied, for
    an identifier may hide there. What did not parse, or is wrong in the identifier itself, is
    withheld.
    """
    hidden = [column.name for column in table.columns if column.pseudonymised]
    if row is None or reason in _UNREADABLE or reason.partition(":")[2] in hidden:
        return pseudonym.withheld(salt, line)
    kept: dict[str, Any] = {}
    for column in table.columns:
        value = row.get(column.name)
        if value is None:
            continue
        if column.pseudonymised:
            text = pseudonym.pseudonym(salt, str(value)) or ""
            value = pseudonym.MARK + text if text.strip() else text
        elif isinstance(value, dict | list | Constant):
            value = {}
        kept[column.name] = value
    return json.dumps(kept, default=str)


@dataclass
class Record:
    """One CSV record: its first line number, its bytes, its non-blank lines and its cells."""

    number: int
    raw: bytes
    line_count: int
    cells: list[str]
    reason: str | None = None


def csv_cells(text: str) -> list[str] | None:
    """Cells of one record, or None when it is no CSV."""
    try:
        return next(csv.reader([text], strict=True), None)
    except csv.Error:
        return None


class CsvRecords:
    """Cuts lines into records of ``width`` cells.

    A quoted field may hold newlines. Where no well-formed record arises, the first line alone is
    rejected and reading goes on with the next, so that one stray quote costs one line.
    """

    def __init__(self, width: int, max_bytes: int) -> None:
        self.width, self.max_bytes = width, max_bytes
        self._waiting: deque[tuple[int, bytes]] = deque()

    def feed(self, lines: Iterable[tuple[int, bytes]], last: bool) -> Iterator[Record]:
        """Yield the records that are complete; ``last`` says that no more lines follow."""
        self._waiting.extend(lines)
        waiting = self._waiting
        while waiting:
            number, line = waiting[0]
            if not line or line.isspace():
                waiting.popleft()
                continue
            line_count = 1
            if line.count(b'"') % 2:
                span = self._span(last)
                if span is None:
                    return
                line_count = span
            parts = [part for _, part in islice(waiting, line_count)]
            cells, reason = self._parse(b"\n".join(parts))
            if reason is not None:
                parts = [line]
            for _ in parts:
                waiting.popleft()
            filled = sum(1 for part in parts if part and not part.isspace())
            yield Record(number, b"\n".join(parts), filled, cells, reason)

    def _span(self, last: bool) -> int | None:
        """Lines until the quotes are balanced; 1 when they never are, None when more may come."""
        quotes = size = 0
        for index, (_, line) in enumerate(self._waiting):
            quotes += line.count(b'"')
            size += len(line)
            if quotes % 2 == 0:
                return index + 1
            if index >= _MAX_RECORD_LINES or size > self.max_bytes:
                return 1
        return 1 if last else None

    def _parse(self, raw: bytes) -> tuple[list[str], str | None]:
        try:
            text = raw.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            return [], "invalid_utf8"
        cells = _split(text)
        if cells is None or len(cells) != self.width:
            return [], "invalid_csv"
        return cells, None


def _split(text: str) -> list[str] | None:
    return text.split(",") if '"' not in text else csv_cells(text)


class CsvRows:
    """Reads CSV records into text columns; an empty cell is null.

    Args:
        table: contract of the rows.
        header: column names of the file.
        salt: key of pseudonymised columns.
    """

    def __init__(self, table: Table, header: list[str], salt: str | None) -> None:
        self.table, self.header, self.salt = table, header, salt

    def read(self, records: list[Record]) -> TextRows:
        """Cells by contract column; a record that is no row keeps its reason and empty columns."""
        reasons = [record.reason for record in records]
        empty = [""] * len(self.header)
        cells = [record.cells if record.reason is None else empty for record in records]
        columns: dict[str, list[str | None] | pa.Array] = {}
        for name, values in zip(self.header, zip(*cells, strict=True), strict=False):
            column = self.table.by_name.get(name)
            if column is None:
                continue
            texts = [value or None for value in values]
            if column.pseudonymised:
                hide(column, texts, reasons, self.salt or "", False)
            columns[name] = texts
        return TextRows(columns, reasons, set(self.header))
