"""Parquet columns that say already what the contract says are copied, not encoded again.

Every page of the input is decoded and judged all the same; only the encoding is spared. A row
group of the new file is made of the input's own column chunks and, for columns that are missing or
of another type, of chunks encoded here. The footer is new: it describes columns as the contract
does, and takes over nothing that a reader would believe without looking (statistics, indexes and
bloom filters of the producer are left out; bounds of times and whole numbers are those found).
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from plumbline.contract.model import Column, Table
from plumbline.landing import thrift
from plumbline.landing.thrift import BINARY, I32, I64, LIST, STRUCT, Struct, Values

_MAGIC = b"PAR1"
_COPY_BYTES = 4 << 20
# Writers whose column chunks are where and what their footers say.
_TRUSTED = re.compile(
    r"parquet-cpp-arrow version |DuckDB |parquet-rs |Arrow2|Polars|parquet-mr version 1\.1\d\."
)
# What every reader of the lake decodes.
_CODECS = {"ZSTD", "SNAPPY", "GZIP"}
_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}
# Smaller row groups make a lake that is slow to read, so they are put together anew.
_MIN_GROUP_ROWS, _MAX_GROUP_ROWS = 50_000, 2_000_000
_PHYSICAL = {
    "string": "BYTE_ARRAY",
    "bigint": "INT64",
    "timestamp": "INT64",
    "boolean": "BOOLEAN",
    "date": "INT32",
}
# Width in bytes of the columns whose bounds are written.
_BOUNDED = {"bigint": (pa.int64(), 8), "timestamp": (pa.int64(), 8), "date": (pa.int32(), 4)}
# Numbers of the footer's fields, as Parquet's own definition names them.
_SCHEMA, _ROWS, _GROUPS, _NOTES, _ORDERS = 2, 3, 4, 5, 7
_NAME, _FIELD_ID = 4, 9
_CHUNK_META = 3
_UNPACKED, _PACKED, _DATA, _INDEX, _DICTIONARY, _STATISTICS = 6, 7, 9, 10, 11, 12
_KEPT_OF_COPIED = (1, 2, 3, 4, 5, _UNPACKED, _PACKED, _DATA, _DICTIONARY, 13)
_KEPT_OF_ENCODED = (*_KEPT_OF_COPIED, _STATISTICS)


class NotPlainError(Exception):
    """The file cannot be copied after all and has to be encoded anew."""


def _fits(column: Column, kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are stored as the contract's values are."""
    if column.type == "string":
        plain = kind.value_type if pt.is_dictionary(kind) else kind
        return bool(pt.is_string(plain) or pt.is_large_string(plain) or pt.is_string_view(plain))
    if column.type == "timestamp":
        return bool(pt.is_timestamp(kind) and kind.unit == "us")
    return bool(kind == column.arrow)


def copyable(file: Any, table: Table) -> list[str]:
    """Columns of a Parquet file whose chunks may stand in the lake as they are.

    Empty when copying would not pay or the file is of a kind no reader of the lake should meet.
    """
    metadata = file.metadata
    groups = metadata.num_row_groups
    if not groups or not _TRUSTED.match(metadata.created_by or ""):
        return []
    counts = [metadata.row_group(index).num_rows for index in range(groups)]
    if not min(counts) or max(counts) > _MAX_GROUP_ROWS:
        return []
    if groups > 1 and metadata.num_rows < groups * _MIN_GROUP_ROWS:
        return []
    schema = file.schema_arrow
    places = {metadata.schema.column(at).path: at for at in range(metadata.num_columns)}
    copied = []
    packed = total = 0
    for column in table.columns:
        at = places.get(column.name)
        if at is None or column.name not in schema.names:
            continue
        chunks = [metadata.row_group(index).column(at) for index in range(groups)]
        size = sum(chunk.total_compressed_size for chunk in chunks)
        total += size
        leaf = metadata.schema.column(at)
        physical = _PHYSICAL.get(column.type, leaf.physical_type)
        if (
            not column.pseudonymised
            and leaf.max_repetition_level == 0
            # A column declared without nulls would read as another type than the contract's.
            and leaf.max_definition_level == 1
            and leaf.physical_type == physical
            and _fits(column, schema.field(column.name).type)
            and all(chunk.compression in _CODECS for chunk in chunks)
            and all(_ENCODINGS.issuperset(chunk.encodings) for chunk in chunks)
            and all(not chunk.file_path for chunk in chunks)
        ):
            copied.append(column.name)
            packed += size
    return copied if 2 * packed >= total else []


def _footer(stream: BinaryIO) -> tuple[Struct, int]:
    """Footer of an open Parquet file and where it starts."""
    end = stream.seek(-8, io.SEEK_END)
    tail = stream.read(8)
    start = end - int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or start < len(_MAGIC):
        raise NotPlainError("no plain footer")
    stream.seek(start)
    try:
        return thrift.read(stream.read(end - start)), start
    except ValueError as error:
        raise NotPlainError(str(error)) from error


def _leaves(footer: Struct) -> dict[str, int]:
    """Position among the leaves of each column that is not nested."""
    found: dict[str, int] = {}
    elements = footer[_SCHEMA][1].items
    open_children: list[int] = []
    leaf = 0
    for element in elements[1:]:
        depth = len(open_children)
        children = element.get(5, (I32, 0))[1]
        if open_children:
            open_children[-1] -= 1
        if children:
            open_children.append(children)
        else:
            if not depth:
                found[element[_NAME][1].decode()] = leaf
            leaf += 1
        while open_children and not open_children[-1]:
            open_children.pop()
    return found


class Splice:
    """Writes the lake file of a load from copied and newly encoded columns.

    Args:
        source: the Parquet file that is landed.
        target: file to write.
        table: contract of the rows.
        copied: columns :func:`copyable` named.
        notes: key-value metadata of the new file.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        table: Table,
        copied: list[str],
        notes: dict[bytes, bytes],
    ) -> None:
        self.table, self.copied, self.notes = table, set(copied), notes
        self.encoded = [name for name in table.schema.names if name not in self.copied]
        self._input = source.open("rb")
        self._output = target.open("wb")
        self._output.write(_MAGIC)
        try:
            self._source, self._end = _footer(self._input)
            self._places = _leaves(self._source)
            model = io.BytesIO()
            pq.write_table(table.schema.empty_table(), model, store_schema=False)
            self._model, _ = _footer(model)
        except BaseException:
            self.close()
            raise
        self._groups: list[Struct] = []
        self._rows = 0
        self._bounds: dict[str, tuple[int, int]] = {}
        self._nulls = dict.fromkeys(copied, 0)

    def close(self) -> None:
        """Close the files."""
        self._input.close()
        self._output.close()

    def look(self, rows: pa.Table) -> None:
        """Take note of the bounds of decoded rows of the current row group."""
        for name in self.copied:
            values = rows.column(name)
            self._nulls[name] += values.null_count
            known = _BOUNDED.get(self.table.by_name[name].type)
            if known is None or values.null_count == len(values):
                continue
            found = pc.min_max(values.cast(known[0])).as_py()
            low, high = self._bounds.get(name, (found["min"], found["max"]))
            self._bounds[name] = min(low, found["min"]), max(high, found["max"])

    def group(self, index: int, rows: pa.Table) -> None:
        """Write one row group.

        Args:
            index: its number in the source.
            rows: its rows, with at least the columns that are encoded anew.
        """
        source_chunks = self._source[_GROUPS][1].items[index][1][1].items
        encoded = io.BytesIO()
        new_chunks: dict[str, Struct] = {}
        if self.encoded:
            pq.write_table(
                rows.select(self.encoded),
                encoded,
                row_group_size=max(rows.num_rows, 1),
                compression="zstd",
                compression_level=1,
                write_page_checksum=True,
                store_schema=False,
            )
            footer, _ = _footer(encoded)
            chunks = footer[_GROUPS][1].items[0][1][1].items
            new_chunks = dict(zip(self.encoded, chunks, strict=True))
        start = self._output.tell()
        columns = []
        for name in self.table.schema.names:
            if name in self.copied:
                chunk = source_chunks[self._places[name]][_CHUNK_META][1]
                columns.append(self._move(self._input, self._end, chunk, _KEPT_OF_COPIED))
                columns[-1][_STATISTICS] = (STRUCT, self._statistics(name))
            else:
                chunk = new_chunks[name][_CHUNK_META][1]
                size = encoded.getbuffer().nbytes
                columns.append(self._move(encoded, size, chunk, _KEPT_OF_ENCODED))
        unpacked = sum(column[_UNPACKED][1] for column in columns)
        entries: list[Struct] = [{2: (I64, 0), _CHUNK_META: (STRUCT, column)} for column in columns]
        self._groups.append(
            {
                1: (LIST, Values(STRUCT, entries)),
                2: (I64, unpacked),
                3: (I64, rows.num_rows),
                5: (I64, start),
                6: (I64, self._output.tell() - start),
            }
        )
        self._rows += rows.num_rows
        self._bounds, self._nulls = {}, dict.fromkeys(self.copied, 0)

    def _move(self, stream: BinaryIO, end: int, meta: Struct, kept: tuple[int, ...]) -> Struct:
        """Copy one column chunk; returns its description at its new place."""
        data, size = meta[_DATA][1], meta[_PACKED][1]
        dictionary = meta.get(_DICTIONARY, (I64, 0))[1]
        start = min(data, dictionary) if dictionary > 0 else data
        if _INDEX in meta or start < len(_MAGIC) or size <= 0 or start + size > end:
            raise NotPlainError("a column lies outside the data")
        step = self._output.tell() - start
        stream.seek(start)
        left = size
        while left:
            block = stream.read(min(left, _COPY_BYTES))
            if not block:
                raise NotPlainError("the file ends early")
            self._output.write(block)
            left -= len(block)
        moved = {number: meta[number] for number in kept if number in meta}
        moved[_DATA] = (I64, data + step)
        if dictionary > 0:
            moved[_DICTIONARY] = (I64, dictionary + step)
        else:
            moved.pop(_DICTIONARY, None)
        return moved

    def _statistics(self, name: str) -> Struct:
        found: Struct = {3: (I64, self._nulls[name])}
        if name in self._bounds:
            width = _BOUNDED[self.table.by_name[name].type][1]
            low, high = self._bounds[name]
            found[5] = (BINARY, high.to_bytes(width, "little", signed=True))
            found[6] = (BINARY, low.to_bytes(width, "little", signed=True))
        return found

    def finish(self) -> None:
        """Write the footer and look at the whole as a reader would.

        Raises:
            NotPlainError: a reader would not see the contract's columns.
        """
        elements: list[Struct] = list(self._model[_SCHEMA][1].items)
        own = {element[_NAME][1]: element for element in self._source[_SCHEMA][1].items[1:]}
        for at, column in enumerate(self.table.columns, 1):
            if column.name not in self.copied:
                continue
            source = own[column.name.encode()]
            # A decimal keeps the width its bytes have; all else is described as ever.
            decimal = column.type.startswith("decimal")
            element = dict(source if decimal else elements[at])
            element.pop(_FIELD_ID, None)
            elements[at] = element
        notes: list[Struct] = [
            {1: (BINARY, key), 2: (BINARY, value)} for key, value in self.notes.items()
        ]
        footer: Struct = {
            **self._model,
            _SCHEMA: (LIST, Values(STRUCT, elements)),
            _ROWS: (I64, self._rows),
            _GROUPS: (LIST, Values(STRUCT, self._groups)),
            _NOTES: (LIST, Values(STRUCT, notes)),
        }
        raw = thrift.write(footer)
        self._output.write(raw + len(raw).to_bytes(4, "little") + _MAGIC)
        path = Path(self._output.name)
        self.close()
        try:
            made = pq.ParquetFile(path)
            schema, rows = made.schema_arrow, made.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise NotPlainError(str(error)) from error
        plain = schema.remove_metadata()
        if plain.names != self.table.schema.names or plain.types != self.table.schema.types:
            raise NotPlainError("its columns would read otherwise")
        if rows != self._rows:
            raise NotPlainError("its rows would be counted otherwise")
