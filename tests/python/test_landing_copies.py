"""Parquet that is copied column by column: the lake must be what encoding every row would give."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.model import table
from plumbline.landing import readers, splice, thrift
from plumbline.landing.judge import Judge
from plumbline.landing.lake import FILE_ID_KEY, prepare_lake
from plumbline.landing.readers import land_parquet
from plumbline.landing.thrift import BINARY, I64, LIST, STRUCT, Values
from plumbline.landing.writer import Load

EVENTS = table("events")
LANDED_AT = "2026-03-01T00:00:00"
FILE_ID = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(EVENTS, LANDED_AT)


def land_one(judge: Judge, source: Path, lake: Path, copies: bool) -> tuple[Path, list[Any], Any]:
    """Land a file by copying where possible, or by encoding; data file, fingerprints, report."""
    prepare_lake(lake)
    load = Load(FILE_ID, FILE_ID[:16], source.name, "events", "parquet", LANDED_AT, str(lake))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splice, "_MIN_GROUP_ROWS", 1)
        if not copies:
            patch.setattr(readers, "copyable", lambda *_: [])
        prepared = land_parquet(load, source, judge)
    prepared.publish()
    marks = pq.read_table(lake / "_landing" / "fingerprints", partitioning=None).to_pylist()
    return lake / "events" / f"{FILE_ID[:16]}.parquet", marks, prepared


def was_copied(path: Path) -> bool:
    """A file that was put together has no Arrow schema in its footer."""
    return b"ARROW:schema" not in pq.read_metadata(path).metadata


def events(count: int, **more: Any) -> pa.Table:
    """Events in the contract's types, with some columns missing and nulls in others."""
    start = dt.datetime(2026, 1, 1)
    columns: dict[str, Any] = {
        "event_id": [f"e{number:05d}" for number in range(count)],
        "event_time": pa.array(
            [start + dt.timedelta(minutes=17 * number) for number in range(count)],
            pa.timestamp("us"),
        ),
        "user_id": [None if number % 3 else f"u{number}" for number in range(count)],
        "event_name": ["app_open"] * count,
        "engaged_seconds": pa.array([0.1] * count, pa.float64()),
        "revenue_usd": pa.array([Decimal("1.5")] * count, pa.decimal128(18, 6)),
    }
    return pa.table({**columns, **more})


_TEXT = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["a", "b", "c" * 40]))
_TIME = st.one_of(
    st.none(), st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999))
)
_SECONDS = st.one_of(st.none(), st.decimals(0, 10**6, places=3))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(_TEXT, _TIME, _TEXT, _SECONDS, _TIME), min_size=1, max_size=30),
    names=st.permutations(["event_id", "event_time", "platform", "engaged_seconds", "ingested_at"]),
    used=st.integers(1, 5),
    zone=st.sampled_from([None, "UTC", "Asia/Tokyo"]),
    wide=st.booleans(),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from(["zstd", "snappy", "gzip", "none"]),
            "row_group_size": st.integers(1, 40),
            "use_dictionary": st.booleans(),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
            "store_schema": st.booleans(),
            "store_decimal_as_integer": st.booleans(),
            "write_page_index": st.booleans(),
            "write_statistics": st.booleans(),
        }
    ),
    required=st.booleans(),
)
def test_copied_and_encoded_files_hold_the_same(
    judge: Judge,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[Any, ...]],
    names: list[str],
    used: int,
    zone: str | None,
    wide: bool,
    options: dict[str, Any],
    required: bool,
) -> None:
    """Any order of columns, any storage a producer may choose, nulls, missing columns, zones."""
    folder = tmp_path_factory.mktemp("copies")
    types = {
        "event_id": pa.large_string() if wide else pa.string(),
        "event_time": pa.timestamp("us", zone),
        "platform": pa.dictionary(pa.int32(), pa.string()) if wide else pa.string(),
        "engaged_seconds": pa.decimal128(18, 3),
        "ingested_at": pa.timestamp("us"),
    }
    columns = dict(zip(types, zip(*rows, strict=True), strict=True))
    fields, arrays = [], []
    for name in names[:used]:
        plain = pa.string() if pa.types.is_dictionary(types[name]) else types[name]
        array = pa.array(columns[name], plain).cast(types[name])
        arrays.append(array)
        fields.append(pa.field(name, types[name], nullable=not required or array.null_count > 0))
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), folder / "in.parquet", **options)
    copied, copied_marks, _ = land_one(judge, folder / "in.parquet", folder / "a", copies=True)
    encoded, marks, _ = land_one(judge, folder / "in.parquet", folder / "b", copies=False)
    assert copied_marks == marks
    found = pq.read_table(copied, partitioning=None).replace_schema_metadata()
    assert found.schema.equals(EVENTS.schema)
    assert found.equals(pq.read_table(encoded, partitioning=None).replace_schema_metadata())
    assert pq.read_metadata(copied).metadata[FILE_ID_KEY] == FILE_ID.encode()
    for query in (
        "select * from read_parquet(?)",
        "select count(*), count(event_id), min(event_time), max(event_time) from read_parquet(?)",
        "select count(*) from read_parquet(?) where event_time >= timestamp '2000-01-01'",
        "select count(*) from read_parquet(?) where event_id is null or platform = 'a'",
    ):
        answers = [duckdb.execute(query, [str(path)]).fetchall() for path in (copied, encoded)]
        assert answers[0] == answers[1]


def test_clean_file_is_copied(judge: Judge, tmp_path: Path) -> None:
    """The short way is taken, and only the columns that need it are encoded anew."""
    pq.write_table(events(500), tmp_path / "in.parquet", compression="zstd", row_group_size=200)
    path, _, prepared = land_one(judge, tmp_path / "in.parquet", tmp_path / "lake", copies=True)
    assert was_copied(path)
    assert (prepared.accepted, prepared.rejected) == (500, 0)
    metadata = pq.read_metadata(path)
    assert metadata.num_row_groups == 3
    source = pq.read_metadata(tmp_path / "in.parquet")
    before, after = (file.row_group(0).column(0) for file in (source, metadata))
    assert before.total_compressed_size == after.total_compressed_size
    table = pq.read_table(path, partitioning=None)
    assert set(table["engaged_seconds"].to_pylist()) == {Decimal("0.100")}
    assert set(table["ingested_at"].to_pylist()) == {dt.datetime(2026, 3, 1)}


def test_one_bad_row_takes_the_long_way(judge: Judge, tmp_path: Path) -> None:
    times = pa.array([0] * 299 + [2**62], pa.int64()).cast(pa.timestamp("us"))
    rows = events(300).set_column(1, "event_time", times)
    pq.write_table(rows, tmp_path / "in.parquet", compression="zstd", row_group_size=100)
    path, marks, prepared = land_one(judge, tmp_path / "in.parquet", tmp_path / "lake", copies=True)
    assert not was_copied(path)
    assert (prepared.line_count, prepared.accepted) == (300, 299)
    assert prepared.reasons == {"invalid:event_time": 1}
    assert sum(mark["row_count"] for mark in marks) == 299
    assert not list((tmp_path / "lake").rglob(".*.inprogress"))


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "none"},
        {"compression": "zstd", "use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"},
    ],
)
def test_what_not_every_reader_decodes_is_encoded_anew(
    judge: Judge, tmp_path: Path, options: dict[str, Any]
) -> None:
    rows = events(50).select(["event_id", "user_id", "event_name"])
    pq.write_table(rows, tmp_path / "in.parquet", **options)
    path, *_ = land_one(judge, tmp_path / "in.parquet", tmp_path / "lake", copies=True)
    assert not was_copied(path)
    assert pq.read_metadata(path).num_rows == 50


def test_small_row_groups_are_put_together(judge: Judge, tmp_path: Path) -> None:
    """Copying them would make a lake that is slow to read for ever."""
    pq.write_table(events(50), tmp_path / "in.parquet", compression="zstd", row_group_size=10)
    assert splice.copyable(pq.ParquetFile(tmp_path / "in.parquet"), EVENTS) == []


def test_unknown_columns_leave_no_byte(judge: Judge, tmp_path: Path) -> None:
    rows = events(40, email=["somebody@example.org"] * 40)
    options: dict[str, Any] = {"compression": dict.fromkeys(rows.column_names, "zstd")}
    options["compression"]["email"] = "none"
    pq.write_table(rows, tmp_path / "in.parquet", **options)
    assert b"somebody@example.org" in (tmp_path / "in.parquet").read_bytes()
    path, *_ = land_one(judge, tmp_path / "in.parquet", tmp_path / "lake", copies=True)
    assert was_copied(path)
    assert b"somebody@example.org" not in path.read_bytes()


def _with_footer(source: Path, target: Path, change: Any) -> None:
    raw = source.read_bytes()
    size = int.from_bytes(raw[-8:-4], "little")
    footer = thrift.read(raw[-8 - size : -8])
    change(footer)
    new = thrift.write(footer)
    target.write_bytes(raw[: -8 - size] + new + len(new).to_bytes(4, "little") + b"PAR1")


def test_lies_in_statistics_are_not_taken_over(judge: Judge, tmp_path: Path) -> None:
    """A producer whose bounds are wrong must not make rows invisible to a filter."""
    pq.write_table(events(100), tmp_path / "honest.parquet", compression="zstd")

    def lie(footer: thrift.Struct) -> None:
        for chunk in footer[4][1].items[0][1][1].items:
            statistics = chunk[3][1][12][1]
            low = statistics[6][1]
            for number in (1, 2, 5, 6):
                if number in statistics:
                    statistics[number] = (BINARY, low)
            statistics[3] = (I64, 100)

    _with_footer(tmp_path / "honest.parquet", tmp_path / "in.parquet", lie)
    query = "select count(*) from read_parquet(?) where event_time > timestamp '2026-01-01 12:00'"
    believed = duckdb.execute(query, [str(tmp_path / "in.parquet")]).fetchone()
    assert believed == (0,)
    path, *_ = land_one(judge, tmp_path / "in.parquet", tmp_path / "lake", copies=True)
    assert was_copied(path)
    assert duckdb.execute(query, [str(path)]).fetchone() == (57,)
    query = "select count(*) from read_parquet(?) where event_id is not null"
    assert duckdb.execute(query, [str(path)]).fetchone() == (100,)


@pytest.mark.parametrize("shift", [-(10**9), 10**9])
def test_columns_outside_the_data_are_not_copied(judge: Judge, tmp_path: Path, shift: int) -> None:
    pq.write_table(events(10), tmp_path / "honest.parquet", compression="zstd")
    raw = tmp_path / "honest.parquet"
    footer, end = splice._footer(io.BytesIO(raw.read_bytes()))
    meta = footer[4][1].items[0][1][1].items[0][3][1]
    meta[9] = (I64, meta[9][1] + shift)
    meta.pop(11, None)
    work = splice.Splice(raw, tmp_path / "out.parquet", EVENTS, ["event_id"], {})
    with pytest.raises(splice.NotPlainError):
        work._move(io.BytesIO(raw.read_bytes()), end, meta, (9,))
    work.close()


def test_damaged_page_of_a_clean_file(judge: Judge, tmp_path: Path) -> None:
    """A byte flipped in the last row group: nothing of the file may reach the lake."""
    source = tmp_path / "in.parquet"
    pq.write_table(
        events(300), source, compression="zstd", row_group_size=100, write_page_checksum=True
    )
    column = pq.read_metadata(source).row_group(2).column(0)
    at = column.data_page_offset + column.total_compressed_size // 2
    raw = bytearray(source.read_bytes())
    raw[at] ^= 0xFF
    source.write_bytes(raw)
    with pytest.raises(readers.UnreadableError):
        land_one(judge, source, tmp_path / "lake", copies=True)
    left = [path.name for path in (tmp_path / "lake" / "events").iterdir()]
    assert left == ["0-contract.parquet"]


# ---------------------------------------------------------------- the footer's notation
def _values(children: Any) -> Any:
    return st.one_of(
        st.tuples(st.just(STRUCT), st.dictionaries(st.integers(1, 40), children, max_size=5)),
        st.tuples(
            st.just(LIST),
            st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40).map(
                lambda items: Values(I64, items)
            ),
        ),
    )


_LEAVES = st.one_of(
    st.tuples(st.just(I64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(BINARY), st.binary(max_size=200)),
    st.tuples(st.just(thrift.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(thrift.BYTE), st.integers(0, 255)),
    st.just((thrift.TRUE, True)),
    st.just((thrift.FALSE, False)),
)


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 400), st.recursive(_LEAVES, _values, max_leaves=8)))
def test_structures_come_back_unchanged(fields: Any) -> None:
    assert thrift.read(thrift.write(fields)) == fields


@pytest.mark.parametrize("writer", ["arrow", "duckdb"])
def test_real_footers_come_back_unchanged(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "a.parquet"
    if writer == "arrow":
        nested = events(30, more=[{"a": [1, 2]}] * 30)
        pq.write_table(nested, path, row_group_size=7, write_page_index=True)
    else:
        duckdb.sql(f"copy (select range as a, {{'b': 1}} as c from range(9)) to '{path}'")
    raw = path.read_bytes()
    size = int.from_bytes(raw[-8:-4], "little")
    footer = raw[-8 - size : -8]
    assert thrift.write(thrift.read(footer)) == footer


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_an_error_of_its_own(raw: bytes) -> None:
    try:
        thrift.read(raw)
    except ValueError as error:
        assert str(error)
