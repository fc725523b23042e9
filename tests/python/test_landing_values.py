"""Value faults: what a cell may hold, what it becomes, and that no line is ever lost."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.model import table
from plumbline.landing import lake as store
from plumbline.landing import land
from plumbline.landing import rows as rows_module
from plumbline.landing.decimals import exact_decimals
from plumbline.landing.fingerprint import fingerprint
from plumbline.landing.judge import Judge, plain_timestamps
from plumbline.landing.lines import read_lines
from plumbline.landing.rows import (
    Constant,
    CsvRows,
    JsonRows,
    Record,
    exact,
    plain_decimals,
)

BILLING = table("subscription_events")
NUMBERS = table("orders")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(BILLING, "2026-03-01T00:00:00")


def judged(judge: Judge, lines: list[bytes]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = judge.judge_text(
        JsonRows(judge.table, None).read(lines).table(judge.table)
    ).to_pylist()
    return rows


def one(judge: Judge, column: str, literal: str) -> tuple[Any, str | None]:
    """Value and reason of one JSON literal; a good neighbour must stay good."""
    good = b'{"event_id":"good","amount":1,"event_time":"2026-01-01T00:00:00Z"}'
    row, neighbour = judged(judge, [f'{{"{column}":{literal}}}'.encode(), good])
    assert (neighbour["event_id"], neighbour["reason"]) == ("good", None)
    return row[column], row["reason"]


@pytest.mark.parametrize(
    "literal",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        '"NaN"',
        '"inf"',
        '"1e400"',
        '"0x10"',
        '"1_000"',
        '"1,000"',
        '"+5"',
        '" 5"',
        '"5 "',
        '"1e"',
        '"."',
        "true",
        "[1]",
        "{}",
        "1000000000000",
    ],
)
def test_no_decimal(judge: Judge, literal: str) -> None:
    assert one(judge, "amount", literal) == (None, "invalid:amount")


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("5", "5"),
        ('"5"', "5"),
        ("-0.10", "-0.1"),
        ('".5"', "0.5"),
        ('"5."', "5"),
        ("1e2", "100"),
        ("5e-7", "0.000001"),
        ("0.00000049999999999999999999", "0"),
        ("-0.0000005", "-0.000001"),
        ('"7.392e-10"', "0"),
        ("123456789012.123456", "123456789012.123456"),
        ("999999999999.9999994", "999999999999.999999"),
        ("0.1000000000000000055", "0.1"),
    ],
)
def test_decimal(judge: Judge, literal: str, value: str) -> None:
    assert one(judge, "amount", literal) == (Decimal(value).quantize(Decimal("0.000001")), None)


@pytest.mark.parametrize(
    "literal",
    [
        "1.5",
        "1.0",
        "1e3",
        '"1_000"',
        '"0x10"',
        '"1.0"',
        "true",
        "9223372036854775808",
        '"٣"',
        "NaN",
    ],
)
def test_no_integer(judge: Judge, literal: str) -> None:
    assert one(judge, "period_count", literal) == (None, "invalid:period_count")


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("12", 12),
        ('"12"', 12),
        ('"-3"', -3),
        ("9223372036854775807", 2**63 - 1),
        ('""', None),
        ("null", None),
    ],
)
def test_integer(judge: Judge, literal: str, value: int | None) -> None:
    assert one(judge, "period_count", literal) == (value, None)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "infinity",
        "-infinity",
        "now",
        "epoch",
        "2026-02-30T00:00:00Z",
        "2026-02-30",
        "2026-1-5",
        "20260105",
        "1767225600",
        "2026-01-05T24:00:00",
        "2026-01-05T10:61:00",
        "2026-01-05T10:00:60Z",
        "2026-01-05T10:00:00+16:00",
        "2026-01-05T10:00:00 Europe/Paris",
        "0000-01-01",
        "2026-01-05 (BC)",
        "05/01/2026",
        "2026-01-05T10",
    ],
)
def test_no_timestamp(judge: Judge, text: str) -> None:
    assert one(judge, "event_time", json.dumps(text)) == (None, "invalid:event_time")


def test_epoch_number_is_no_timestamp(judge: Judge) -> None:
    assert one(judge, "event_time", "1767225600")[1] == "invalid:event_time"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-05T10:00:00Z", dt.datetime(2026, 1, 5, 10)),
        ("2026-01-05 10:00:00", dt.datetime(2026, 1, 5, 10)),
        ("2026-01-05T10:00", dt.datetime(2026, 1, 5, 10)),
        ("2026-01-05", dt.datetime(2026, 1, 5)),
        ("2026-01-05T10:00:00.5Z", dt.datetime(2026, 1, 5, 10, 0, 0, 500_000)),
        ("2026-01-05T10:00:00.999999999Z", dt.datetime(2026, 1, 5, 10, 0, 0, 999_999)),
        ("2026-01-05T10:00:00+02:00", dt.datetime(2026, 1, 5, 8)),
        ("2026-01-05 00:30:00.25+0530", dt.datetime(2026, 1, 4, 19, 0, 0, 250_000)),
        ("2026-01-05T10:00-08", dt.datetime(2026, 1, 5, 18)),
        ("1970-01-01T00:00:00Z", dt.datetime(1970, 1, 1)),
        ("2099-01-01T00:00:00Z", dt.datetime(2099, 1, 1)),
        ("9999-12-31T23:59:59.999999", dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_timestamp(judge: Judge, text: str, value: dt.datetime) -> None:
    assert one(judge, "event_time", json.dumps(text)) == (value, None)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1.10", "1.10"),
        ("12345678901234567890123", "12345678901234567890123"),
        ('""', ""),
        ('"\\u0000a"', "\0a"),
        ('"e\\u0301 \\u202e \\ud83e\\udd16"', "e\u0301 \u202e 🤖"),
        ('"\'); drop table stg_events; --"', "'); drop table stg_events; --"),
    ],
)
def test_text_is_stored_unchanged(judge: Judge, literal: str, value: str) -> None:
    assert one(judge, "user_id", literal) == (value, None)


@pytest.mark.parametrize("literal", ["true", "{}", "[]", '"\\ud800"', "NaN"])
def test_no_text(judge: Judge, literal: str) -> None:
    assert one(judge, "user_id", literal)[1] == "invalid:user_id"


def test_booleans_and_dates() -> None:
    judge = Judge(table("llm_ratings"), "2026-03-01T00:00:00")
    cells = ["true", "FALSE", '"True"', "1", '"yes"', '"t"']
    found = judged(judge, [f'{{"is_hallucination":{cell}}}'.encode() for cell in cells])
    assert [row["is_hallucination"] for row in found] == [True, None, True, None, None, None]
    reasons = [row["reason"] for row in found]
    assert reasons == [None, "invalid_json", None, *["invalid:is_hallucination"] * 3]
    days = Judge(table("acquisition_costs"), "2026-03-01T00:00:00")
    cells = ["2026-01-05", "2026-02-29", "2026-01-05T00:00:00", "today"]
    found = judged(days, [f'{{"activity_date":"{cell}"}}'.encode() for cell in cells])
    assert [row["activity_date"] for row in found] == [dt.date(2026, 1, 5), None, None, None]


def test_the_first_fault_in_contract_order_names_the_row(judge: Judge) -> None:
    (row,) = judged(judge, [b'{"amount":"x","event_time":"x","period_count":"x"}'])
    assert row["reason"] == "invalid:event_time"


DECIMALS = st.from_regex(r"\A-?[0-9]{0,13}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?\Z")


@settings(max_examples=30, deadline=None)
@given(st.lists(DECIMALS, min_size=1, max_size=40))
def test_decimals_round_exactly(judge: Judge, texts: list[str]) -> None:
    rows = judged(judge, [json.dumps({"amount": text}).encode() for text in texts])
    for text, row in zip(texts, rows, strict=True):
        try:
            with localcontext() as context:
                context.prec = 400
                expected = Decimal(text).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
        except ArithmeticError:
            expected = None
        if expected is not None and abs(expected) >= 10**12:
            expected = None
        assert row["amount"] == expected, text
        assert (row["reason"] is None) == (expected is not None or text == ""), text


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(-1e13, 1e13),
            st.integers(-(10**12), 10**12).map(lambda number: number / 10**6),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_json_numbers_and_their_texts_are_the_same_decimal(
    judge: Judge, numbers: list[float | None]
) -> None:
    as_numbers = judged(judge, [json.dumps({"amount": number}).encode() for number in numbers])
    texts = [None if number is None else repr(number) for number in numbers]
    as_texts = judged(judge, [json.dumps({"amount": text}).encode() for text in texts])
    assert as_numbers == as_texts


def test_doubles_that_are_no_short_decimal_are_left_to_text() -> None:
    kind = pa.decimal128(18, 6)
    for number in (0.1234567, float("nan"), float("inf"), 1e12, 1e300):
        assert exact_decimals(pa.array([1.0, number]), kind) is None
    found = exact_decimals(pa.array([0.1, None, -2.5, 0.0]), kind)
    assert found.to_pylist() == [Decimal("0.1"), None, Decimal("-2.5"), Decimal(0)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.integers(3, 50), st.integers(1, 60))
def test_reader_sees_every_line_once(content: bytes, block: int, longest: int) -> None:
    content = b"x" + content
    chunks = list(read_lines(io.BytesIO(content), longest, block))
    found = {
        number: line
        for chunk in chunks
        for number, line in zip(chunk.numbers, chunk.lines, strict=True)
    }
    cut = {number: line for chunk in chunks for number, line in chunk.too_long}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            assert number not in found
            assert number not in cut
        elif len(line) > longest:
            assert cut.pop(number) == line[:longest]
        else:
            assert found.pop(number) == line
    assert (found, cut) == ({}, {})


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [
                b"\n",
                b"\r\n",
                b'"',
                b",",
                b"\x00",
                b"\xff",
                b"{}",
                b"[",
                b'{"event_id":1}',
                b"\n\n",
                b'"\n"',
                b"a,b,c\n",
                b'{"event_time":NaN}\n',
                b"o1,2026-01-05,u\n",
            ]
        ),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(PIECES, st.sampled_from(["events.ndjson", "events.csv", "orders.csv"]))
def test_arbitrary_bytes_never_lose_a_line(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], name: str
) -> None:
    root = tmp_path_factory.mktemp("bytes")
    inbox, lake = root / "inbox", root / "lake"
    inbox.mkdir()
    body = b"".join(pieces)
    is_csv = name.endswith(".csv")
    header = b"order_id,ordered_at,user_id\n" if name == "orders.csv" else b"event_id,source,x\n"
    (inbox / name).write_bytes(header + body if is_csv else body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        report = land(inbox, lake)
    assert report.failures == []
    (file,) = report.files
    body = body if is_csv else body.removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in body.split(b"\n") if line.strip()]
    assert file.accepted + file.rejected == file.line_count
    if is_csv and b'"' in body:
        # A quoted cell may span lines: they are one record.
        assert file.line_count <= len(lines)
        assert (file.line_count > 0) == bool(lines)
    else:
        assert file.line_count == len(lines)
    rejects = store.read_table(lake / "_landing" / "rejects").to_pylist()
    assert len(rejects) == file.rejected
    kept = b"\n".join(
        bytes.fromhex(row["payload"])
        if row["payload_encoding"] == "hex"
        else row["payload"].encode()
        for row in rejects
    )
    for line in lines:
        assert file.accepted or line.rstrip(b"\r") in kept


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2),
        min_size=1,
        max_size=8,
    )
)
def test_csv_that_a_writer_quoted_comes_back_unchanged(rows: list[list[str]]) -> None:
    from plumbline.landing.rows import CsvRecords

    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    lines = out.getvalue().encode().split(b"\n")[:-1]
    records: list[Record] = list(CsvRecords(2, 10**6).feed(enumerate(lines, 1), last=True))
    assert [record.cells for record in records] == rows
    texts = CsvRows(NUMBERS, ["order_id", "user_id"], None).read(records).columns
    assert texts["order_id"] == [first or None for first, _ in rows]


def test_examples_land_as_their_readme_says(tmp_path: Path) -> None:
    report = land(ROOT / "examples" / "inbox", tmp_path / "lake")
    text = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"{report.accepted} rows accepted and {report.rejected} lines rejected" in text
    for reason in report.reasons:
        assert f"`{reason}`" in text
    assert report.failures == []
    stored = store.read_table(tmp_path / "lake" / "_landing" / "rejects")
    assert not any("@" in payload for payload in stored["payload"].to_pylist())


def test_fingerprint_is_free_of_order_and_cuts() -> None:
    judge = Judge(table("events"), "2026-03-01T00:00:00")
    lines = [
        json.dumps({"event_id": f"e{number}", "event_time": f"2026-01-0{1 + number % 3}"}).encode()
        for number in range(30)
    ]
    rows = judge.judge_text(JsonRows(judge.table, None).read(lines).table(judge.table))
    whole = judge.fingerprint(rows)
    shuffled = rows.take(np.random.default_rng(7).permutation(30))
    assert judge.fingerprint(shuffled) == whole
    parts = [*judge.fingerprint(rows.slice(0, 11)), *judge.fingerprint(rows.slice(11))]
    for day, count, total in whole:
        assert sum(part[1] for part in parts if part[0] == day) == count
        assert sum(part[2] for part in parts if part[0] == day) == total
    moment = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**6
    expected = _row_hash(["e0", moment])
    assert judge.fingerprint(rows.slice(0, 1)) == [(dt.date(2026, 1, 1), 1, expected)]


def _row_hash(values: list[str | int | None]) -> int:
    """The fingerprint's definition by hand, number by number.

    No library and no version of one may change what the lake stores.
    """
    whole = 2**64 - 1
    state = 0x9E3779B97F4A7C15

    def words(value: str | int | None) -> list[int]:
        if isinstance(value, int):
            return [value & whole]
        if value is None:
            return [whole]
        raw = value.encode()
        cut = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
        return [*cut, len(raw)]

    for word in [word for value in values for word in words(value)]:
        state = (state ^ word) * 0xBF58476D1CE4E5B9 & whole
        state ^= state >> 32
    state = state * 0x94D049BB133111EB & whole
    return state ^ state >> 29


_KEYS = st.one_of(st.none(), st.text(max_size=40), st.text("ab", min_size=7, max_size=9))
_TIMES = st.one_of(st.none(), st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(_KEYS, _KEYS, _TIMES), min_size=1, max_size=20),
    start=st.integers(0, 3),
    kind=st.sampled_from(["string", "large", "dictionary", "chunks"]),
)
def test_fingerprint_is_the_sum_of_row_hashes(
    rows: list[tuple[str | None, str | None, dt.datetime | None]], start: int, kind: str
) -> None:
    """Any mixture of nulls, lengths and ways to store a text, and slices of arrays too."""
    links = table("identity_links")
    types = {"large": pa.large_string(), "dictionary": pa.dictionary(pa.int32(), pa.string())}
    text = types.get(kind, pa.string())
    padded: list[tuple[Any, Any, Any]] = [("other", None, None)] * start + rows
    left, right, times = zip(*padded, strict=True)
    arrays = [
        pa.array(left, pa.string()).cast(text),
        pa.array(right, pa.string()).cast(text),
        pa.array(times, pa.timestamp("us")),
    ]
    stored = pa.table(arrays, names=["anonymous_id", "user_id", "linked_at"]).slice(start)
    if kind == "chunks":
        stored = pa.concat_tables([stored.slice(0, 1), stored.slice(1)])
    expected: dict[dt.date, tuple[int, int]] = {}
    for a, b, moment in rows:
        day = dt.date(1900, 1, 1) if moment is None else moment.date()
        micros = (
            -(2**63)
            if moment is None
            else (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
        )
        count, total = expected.get(day, (0, 0))
        expected[day] = count + 1, total + _row_hash([a, b, micros])
    found = fingerprint(links, stored)
    assert found == [(day, *expected[day]) for day in sorted(expected)]


def test_fingerprint_of_dates_and_of_rows_moved_to_another_day() -> None:
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]
    rows = pa.table({"creator_id": ["c", "c"], "activity_date": pa.array(days, pa.date32())})
    micros = [(day - dt.date(1970, 1, 1)).days * 86_400_000_000 for day in days]
    assert fingerprint(table("creator_daily"), rows) == [
        (day, 1, _row_hash(["c", moment, moment])) for day, moment in zip(days, micros, strict=True)
    ]


# ---------------------------------------------------------------- fast ways agree with the exact one
def _exactly(judge: Judge, lines: list[bytes]) -> list[dict[str, Any]]:
    """Rows as the query alone judges them: every value reaches it as its own text."""
    columns: dict[str, list[str | None]] = {column.name: [] for column in judge.table.columns}
    reasons: list[str | None] = []
    for line in lines:
        document, reason = exact(line)
        reasons.append(reason)
        for column in judge.table.columns:
            value = (document or {}).get(column.name)
            if isinstance(value, str) and value.encode("utf-8", "replace").decode() != value:
                value = None
                reasons[-1] = reasons[-1] or f"invalid:{column.name}"
            elif isinstance(value, bool):
                value = str(value).lower()
                if column.type == "string":
                    reasons[-1] = reasons[-1] or f"invalid:{column.name}"
            elif isinstance(value, dict | list | Constant):
                value = None
                reasons[-1] = reasons[-1] or f"invalid:{column.name}"
            elif value is not None and column.type != "string":
                value = str(value) or None
                if value and column.type.startswith("decimal"):
                    value = plain_decimals(pa.array([value], pa.string()))[0].as_py()
            columns[column.name].append(value)
    arrays = [pa.array(columns[column.name], pa.string()) for column in judge.table.columns]
    names = [*columns, "reason"]
    rows = pa.table([*arrays, pa.array(reasons, pa.string())], names=names)
    found: list[dict[str, Any]] = judge._run(judge._text_query, rows).to_pylist()
    return found


_TWO = st.integers(0, 99).map(lambda number: f"{number:02d}")
_SANE = st.builds("2026-{:02d}-{:02d}".format, st.integers(1, 12), st.integers(1, 28))
_CLOCKS = st.builds("{:02d}:{:02d}:{:02d}".format, *(st.integers(0, n) for n in (24, 60, 60)))
_STAMPS = st.builds(
    "".join,
    st.tuples(
        st.one_of(_SANE, _SANE, st.builds("{}{}-{}-{}".format, _TWO, _TWO, _TWO, _TWO)),
        st.sampled_from(["T", "T", "T", " ", "t", "  ", ""]),
        st.one_of(_CLOCKS, _CLOCKS, st.builds("{}:{}".format, _TWO, _TWO), _TWO),
        st.one_of(
            st.just(""),
            st.text("0123456789", max_size=8).map(lambda digits: "." + digits),
            st.sampled_from([",5", ".1.2", "e1"]),
        ),
        st.sampled_from(
            ["Z", "Z", "Z", "", "", "z", " Z", "ZZ", "+00", "+05:30", "-0130", "+1600"]
        ),
    ),
)
_MOMENTS = st.one_of(
    st.datetimes(dt.datetime(1, 1, 1)).map(lambda moment: moment.isoformat() + "Z"), _STAMPS
)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(_MOMENTS, min_size=1, max_size=3))
def test_plain_times_are_those_of_the_query(judge: Judge, texts: list[str]) -> None:
    """Whatever Arrow takes as a time, the query takes as the same time."""
    fast = plain_timestamps(pa.chunked_array([pa.array(texts, pa.string())]))
    if fast is None:
        return
    low, high = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)
    rows = _exactly(
        judge, [json.dumps({"event_id": "e", "event_time": text}).encode() for text in texts]
    )
    for moment, row in zip(fast.cast(pa.int64()).to_pylist(), rows, strict=True):
        micros = dt.timedelta(microseconds=1)
        epoch = dt.datetime(1970, 1, 1)
        if (low - epoch) // micros <= moment <= (high - epoch) // micros:
            assert row["event_time"] == epoch + moment * micros
        else:
            assert row["reason"] == "invalid:event_time"


def test_plain_times_are_taken_at_once() -> None:
    """The forms every producer writes do not need the query, so that clean files land fast."""
    for text in ("2026-01-05T10:00:00Z", "2026-01-05 10:00:00.123456", "2026-01-05T10:00:00.5Z"):
        assert plain_timestamps(pa.chunked_array([pa.array([text, None])])) is not None


_ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.sampled_from(["", " ", "1", "1.5", "1e3", "0x10", "NaN", "true", "TRUE", "\ud800", "é"]),
    _MOMENTS,
    st.lists(st.integers(), max_size=1),
)
_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.one_of(st.text(max_size=5), _ANY),
        "event_time": st.one_of(_MOMENTS, _ANY),
        "period_count": st.one_of(st.integers(0, 9), _ANY),
        "amount": st.one_of(st.floats(-1000, 1000).map(lambda x: round(x, 6)), _ANY),
        "period_end": _MOMENTS,
        "unknown": _ANY,
    },
)
_LINES = st.one_of(
    _ROWS.map(lambda row: json.dumps(row).encode()),
    _ROWS.map(lambda row: json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")),
    st.sampled_from(
        [
            b'{"event_id":"a","event_id":"b"}',
            b'{"event_id":"a"}null{"event_id":"b"}',
            b'{"event_id":"a"},{"event_id":"b"}',
            b'{"amount":0.1000000000000000055}',
            b'{"amount":12345678901.1234565}',
            b'{"amount":-0.0}',
            b'{"amount":1.0000005}',
            b'{"amount":2.5e-7}',
            b'{"period_count":1.0}',
            b'{"period_count":-0}',
            b'{"period_count":9223372036854775808}',
            b'{"amount":NaN}',
            b'{"event_id":"\\u0000"}',
            b'{"event_id":"\xff"}',
            b"[1]",
            b"null",
            b"{",
            b'{"event_id":{"a":1}}',
        ]
    ),
)


@settings(max_examples=120, deadline=None)
@given(lines=st.lists(_LINES, min_size=1, max_size=6), slice_lines=st.integers(1, 4))
def test_fast_and_exact_reading_agree(judge: Judge, lines: list[bytes], slice_lines: int) -> None:
    """A line means the same whether its neighbours let it take the short way or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_SLICE_LINES", slice_lines)
        found = judged(judge, lines)
    alone = [judged(judge, [line])[0] for line in lines]
    for row, single in zip(found, alone, strict=True):
        assert row["reason"] == single["reason"]
        if row["reason"] is None:
            assert row == single
    for row, slow in zip(found, _exactly(judge, lines), strict=True):
        assert (row["reason"] is None) == (slow["reason"] is None)
        if row["reason"] is None:
            assert row == slow


def test_slices_of_different_types_make_one_column(judge: Judge) -> None:
    """Numbers in one slice of a chunk and texts in the next are the same decimals and integers."""
    numbers = [b'{"event_id":"%d","amount":0.000001,"period_count":7}' % i for i in range(600)]
    texts = [b'{"event_id":"%d","amount":"0.000001","period_count":"7"}' % i for i in range(600)]
    rows = judged(judge, [*numbers, *texts, b'{"event_id":"x"}'])
    assert {(row["amount"], row["period_count"], row["reason"]) for row in rows} == {
        (Decimal("0.000001"), 7, None),
        (None, None, None),
    }
    assert [row["event_id"] for row in rows[:1200]] == [str(i) for i in range(600)] * 2
