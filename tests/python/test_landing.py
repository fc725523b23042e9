"""Landing faults: what a file may do wrong, and what becomes of it and of its neighbours."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from plumbline.cli import main
from plumbline.contract.model import contract, table
from plumbline.errors import PlumblineError
from plumbline.landing import LandingReport, land, prepare_lake
from plumbline.landing import lake as store
from plumbline.landing.inbox import table_of

MOMENT = dt.datetime(2026, 3, 1, 12, 0)
CSV_HEADER = "order_id,ordered_at,user_id,kind,gross_amount,refunded_amount,currency"


class Place:
    """An inbox and a lake of one test."""

    def __init__(self, root: Path) -> None:
        self.inbox, self.lake = root / "inbox", root / "lake"
        self.inbox.mkdir()

    def put(self, name: str, content: bytes | str | list[bytes]) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = b"".join(line + b"\n" for line in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, **options: Any) -> LandingReport:
        return land(self.inbox, self.lake, ingested_at=MOMENT, **options)

    def rows(self, name: str, columns: str = "*", order: str = "all") -> list[Any]:
        files = f"{self.lake}/{name}/*.parquet"
        query = f"select {columns} from read_parquet('{files}', union_by_name = true)"
        return duckdb.sql(f"{query} order by {order}").fetchall()

    def rejects(self, columns: str = "line_number, reason, payload") -> list[Any]:
        return self.rows("_landing/rejects", columns)

    def manifest(self) -> list[dict[str, Any]]:
        return store.read_table(self.lake / "_landing" / "manifest").to_pylist()

    def assert_conserved(self) -> None:
        """Manifest, lake, rejects and fingerprints tell the same story."""
        loads = duckdb.sql(
            f"select table_name, load_id, count(*) from read_parquet("
            f"'{self.lake}/_landing/rejects/*.parquet') group by all"
        ).fetchall()
        rejected = {(name, load): count for name, load, count in loads}
        for row in self.manifest():
            assert row["line_count"] == row["accepted_count"] + row["rejected_count"], row
            if row["status"] in ("duplicate_file", "unreadable"):
                assert row["line_count"] == 0
                continue
            key = row["table_name"], row["load_id"]
            assert rejected.get(key, 0) == row["rejected_count"], row
            path = self.lake / key[0] / f"{key[1]}.parquet"
            stored = pq.read_metadata(path).num_rows if path.exists() else 0
            assert stored == row["accepted_count"], row
            marks = f"{self.lake}/_landing/fingerprints/*.parquet"
            counted = duckdb.sql(
                f"select coalesce(sum(row_count), 0) from read_parquet('{marks}')"
                f" where table_name = '{key[0]}' and load_id = '{key[1]}'"
            ).fetchone()
            assert counted is not None
            assert counted[0] == row["accepted_count"], row


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PLUMBLINE_PSEUDONYM_SALT", "a salt for tests only")
    monkeypatch.setenv("PLUMBLINE_THREADS", "1")
    # No test cuts the power, and waiting for the disk is most of a small landing.
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return Place(tmp_path)


def event(number: int, **fields: Any) -> bytes:
    row = {"event_id": f"e{number}", "event_time": "2026-01-05T10:00:00Z", "event_name": "app_open"}
    return json.dumps({**row, **fields}).encode()


def order(number: int, amount: str = "10") -> str:
    return f"o{number},2026-01-05 10:00:00,u1,coins,{amount},0,USD"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


# ---------------------------------------------------------------- lines
def test_malformed_json_line(place: Place) -> None:
    bad = [b"not json", b"{bad", b"[1,2]", b"null", b'"s"', b"17", b'{"event_id":"x",}', b"{} {}"]
    place.put("events.ndjson", [event(1), *bad, event(2)])
    report = place.land()
    assert place.rows("events", "event_id") == [("e1",), ("e2",)]
    reasons = [reason for _, reason, _ in place.rejects()]
    objects = ["not_an_object"] * 4
    assert reasons == ["invalid_json", "invalid_json", *objects, "invalid_json", "invalid_json"]
    assert [number for number, _, _ in place.rejects()] == list(range(2, 10))
    assert [payload.encode() for _, _, payload in place.rejects()] == bad
    assert report.reasons == {"invalid_json": 4, "not_an_object": 4}
    place.assert_conserved()


def test_torn_last_line_of_ndjson(place: Place) -> None:
    whole = b"\n".join(event(number) for number in range(3)) + b"\n"
    place.put("events_a.ndjson", whole[:-9])
    place.land()
    assert [reason for _, reason, _ in place.rejects()] == ["invalid_json"]
    place.put("events_b.ndjson", whole)
    place.land()
    assert place.rows("events", "count(*), count(distinct event_id)") == [(5, 3)]
    place.assert_conserved()


def test_torn_last_line_of_csv(place: Place) -> None:
    place.put("orders.csv", f"{CSV_HEADER}\n{order(1)}\n{order(2, '1999.99')[:-12]}")
    report = place.land()
    assert place.rows("orders", "order_id") == [("o1",)]
    assert [reason for _, reason, _ in place.rejects()] == ["torn_row"]
    assert any("no newline" in warning for warning in report.all_warnings)
    place.assert_conserved()


def test_unterminated_csv_line_is_taken_when_asked_for(place: Place) -> None:
    place.put("orders.csv", f"{CSV_HEADER}\n{order(1)}\n{order(2)}")
    place.land(accept_unterminated=True)
    assert place.rows("orders", "order_id") == [("o1",), ("o2",)]
    assert place.rejects() == []


def test_not_utf8(place: Place) -> None:
    bad = event(2).replace(b"app_open", b"caf\xe9")
    place.put("events.ndjson", [event(1), bad, event(3)])
    place.land()
    assert place.rows("events", "event_id") == [("e1",), ("e3",)]
    assert place.rejects("line_number, reason, payload, payload_encoding") == [
        (2, "invalid_utf8", bad.hex(), "hex")
    ]
    place.assert_conserved()


def test_not_utf8_in_csv(place: Place) -> None:
    lines = [CSV_HEADER.encode(), order(1).encode(), order(2).encode() + b"\xff", order(3).encode()]
    place.put("orders.csv", lines)
    place.land()
    assert place.rows("orders", "order_id") == [("o1",), ("o3",)]
    assert place.rejects("line_number, reason, payload_encoding") == [(3, "invalid_utf8", "hex")]


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        (b"", 0),
        (b"\n\n  \n\t\r\n", 0),
        (b"\xef\xbb\xbf", 0),
        (event(1) + b"\r\n" + event(2) + b"\r\n", 2),
        (b"\xef\xbb\xbf" + event(1) + b"\n", 1),
        (event(1), 1),
        (b"\n" + event(1) + b"\n\n" + event(2) + b"\n\n", 2),
    ],
    ids=["empty", "blank", "only_bom", "crlf", "bom", "no_final_newline", "blank_between"],
)
def test_odd_but_valid_files(place: Place, content: bytes, accepted: int) -> None:
    place.put("events.ndjson", content)
    report = place.land()
    assert (report.accepted, report.rejected, report.failures) == (accepted, 0, [])
    assert place.rows("events", "count(*)") == [(accepted,)]
    place.assert_conserved()


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        ("", 0),
        ("\n\n", 0),
        (f"{CSV_HEADER}\n", 0),
        (CSV_HEADER, 0),
        (f"\ufeff{CSV_HEADER}\r\n{order(1)}\r\n\r\n{order(2)}\r\n", 2),
        (f'{CSV_HEADER}\n"{order(1)[:2]}"{order(1)[2:]}\n', 1),
    ],
    ids=["empty", "blank", "header", "torn_header", "bom_crlf_blank", "quoted"],
)
def test_odd_but_valid_csv_files(place: Place, content: str, accepted: int) -> None:
    place.put("orders.csv", content)
    report = place.land()
    assert (report.accepted, report.rejected, report.failures) == (accepted, 0, [])
    currencies = place.rows("orders", "distinct currency")
    assert currencies == ([("USD",)] if accepted else [])


def test_ragged_rows_and_stray_quotes_cost_one_line_each(place: Place) -> None:
    lines = [
        CSV_HEADER,
        order(1),
        "o2,too,few",
        order(3),
        f'"{order(4)}',
        order(5),
        order(6) + ",more",
        f'"o\n\n7"{order(7)[2:]}',
        f'"o8"x{order(8)[2:]}',
        order(9),
    ]
    place.put("orders.csv", "\n".join(lines) + "\n")
    place.land()
    accepted = [name for (name,) in place.rows("orders", "order_id")]
    assert accepted == ["o\n\n7", "o1", "o3", "o5", "o9"]
    assert place.rejects("line_number, reason") == [
        (3, "invalid_csv"),
        (5, "invalid_csv"),
        (7, "invalid_csv"),
        (11, "invalid_csv"),
    ]
    place.assert_conserved()


def test_empty_cells_and_empty_strings(place: Place) -> None:
    place.put("orders.csv", f"{CSV_HEADER}\n,2026-01-05,,coins,,0,\n")
    place.put("events.ndjson", [b'{"event_id":"","event_time":"","engaged_seconds":""}'])
    place.land()
    assert place.rows("orders", "order_id, user_id, gross_amount") == [(None, None, None)]
    assert place.rows("events", "event_id, event_time, engaged_seconds") == [("", None, None)]


def test_one_field_of_20_mb(place: Place) -> None:
    path = place.put("events.ndjson", event(1) + b"\n")
    with path.open("ab") as stream:
        stream.write(b'{"event_id":"long","source":"')
        for _ in range(20):
            stream.write(b"x" * 1_000_000)
        stream.write(b'"}\n' + event(2) + b"\n")
    place.land()
    assert place.rows("events", "event_id") == [("e1",), ("e2",)]
    found = place.rejects("line_number, reason, length(payload)")
    assert found == [(2, "too_long:row", 1_000_000)]
    place.assert_conserved()


def test_memory_is_bounded_on_a_200_mb_line(tmp_path: Path) -> None:
    path = tmp_path / "line"
    with path.open("wb") as stream:
        for _ in range(200):
            stream.write(b"x" * 1_000_000)
    code = (
        "import resource, sys\n"
        "from plumbline.landing.lines import read_lines\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with open(sys.argv[1], 'rb') as stream:\n"
        "    found = [item for chunk in read_lines(stream, 1000000) for item in chunk.too_long]\n"
        "assert [(number, len(kept)) for number, kept in found] == [(1, 1000000)]\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60_000


def test_cut_payload_ends_at_a_whole_character(place: Place) -> None:
    place.put("events.ndjson", [b'{"a":"' + "é".encode() * 600_000 + b'"}', b'{"ab":"' + b"x" * 10])
    place.land()
    encodings = place.rejects("reason, payload_encoding")
    assert encodings == [("invalid_json", "utf8"), ("too_long:row", "utf8")]


def test_too_long_column(place: Place) -> None:
    fits, not_fits = "é" * 1024, "é" * 1025
    place.put("events.ndjson", [event(1, source=fits), event(2, source=not_fits)])
    place.land()
    assert place.rows("events", "event_id, length(source)") == [("e1", 1024)]
    assert place.rejects("line_number, reason") == [(2, "too_long:source")]


# ---------------------------------------------------------------- files
def test_same_file_delivered_twice_under_two_names(place: Place) -> None:
    place.put("events_a.ndjson", [event(1), b"bad"])
    place.put("events_b.ndjson", [event(1), b"bad"])
    report = place.land()
    assert [file.status for file in report.files] == ["ok", "duplicate_file"]
    assert "events_a.ndjson" in report.files[1].detail
    assert place.rows("events", "count(*)") == [(1,)]
    assert len(place.rejects()) == 1
    assert place.land().known == 2
    place.assert_conserved()


def test_same_content_in_two_tables_lands_in_both(place: Place) -> None:
    place.put("users/a.ndjson", [b'{"user_id":"u1"}'])
    place.put("orders/a.ndjson", [b'{"user_id":"u1"}'])
    place.land()
    assert place.rows("users", "user_id") == place.rows("orders", "user_id") == [("u1",)]
    place.assert_conserved()


def test_running_again_changes_nothing(place: Place) -> None:
    place.put("events.ndjson", [event(1), b"bad"])
    place.put("orders.csv", f"{CSV_HEADER}\n{order(1)}\n")
    pq.write_table(pa.table({"bot_id": ["b1"]}), place.put("bots.parquet", b""))
    place.land()
    before = tree(place.lake)
    report = land(place.inbox, place.lake, replay=True)
    assert (report.files, report.known) == ([], 3)
    assert tree(place.lake) == before


def test_touched_file_is_known_by_content(place: Place) -> None:
    path = place.put("events.ndjson", [event(1)])
    place.land()
    os.utime(path, (1, 1))
    assert place.land().files == []


def test_landed_file_deleted_after_load(place: Place) -> None:
    path = place.put("events.ndjson", [event(1)])
    place.land()
    before = tree(place.lake)
    path.unlink()
    assert place.land().failures == []
    assert tree(place.lake) == before


def test_same_path_with_other_content_keeps_the_first(place: Place) -> None:
    place.put("events.ndjson", [event(1)])
    place.land()
    place.put("events.ndjson", [event(1), event(2)])
    place.put("events_2.ndjson", [event(3)])
    report = place.land()
    assert [(file.path, file.status) for file in report.failures] == [("events.ndjson", "changed")]
    with pytest.raises(PlumblineError, match=r"events\.ndjson.*new name"):
        report.raise_for_failures()
    assert place.rows("events", "event_id") == [("e1",), ("e3",)]


def test_no_new_files(place: Place) -> None:
    report = place.land()
    assert (report.files, report.failures, report.accepted) == ([], [], 0)
    assert place.rows("events", "count(*)") == [(0,)]


def test_file_names_with_quote_space_and_unicode(place: Place) -> None:
    place.put('events/it\'s a "file".ndjson', [event(1)])
    place.put("events/naïve;--.ndjson", [event(2)])
    pq.write_table(pa.table({"bot_id": ["b1"]}), place.put("bots/b's.parquet", b""))
    assert place.land().failures == []
    assert place.rows("events", "count(*)") == [(2,)]
    assert place.rows("bots", "bot_id") == [("b1",)]


def test_link_out_of_the_inbox_is_refused_by_name(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "events.ndjson").write_bytes(event(9) + b"\n")
    (place.inbox / "events_link.ndjson").symlink_to(outside / "events.ndjson")
    (place.inbox / "users").symlink_to(outside)
    (place.inbox / "orders_gone.csv").symlink_to(place.inbox / "nothing.csv")
    place.put("events.ndjson", [event(1)])
    report = place.land()
    assert sorted(file.path for file in report.failures) == [
        "events_link.ndjson",
        "orders_gone.csv",
        "users",
    ]
    assert {file.status for file in report.failures} == {"refused"}
    assert place.rows("events", "event_id") == [("e1",)]


def test_pipe_is_refused_and_does_not_hang(place: Place) -> None:
    os.mkfifo(place.inbox / "events.ndjson")
    assert [file.status for file in place.land().failures] == ["refused"]


def test_files_in_progress_are_left_alone(place: Place) -> None:
    for name in ("events.ndjson.tmp", "events.inprogress", ".events.ndjson", "_events.ndjson"):
        place.put(name, [event(1)])
    place.put("_events/a.ndjson", [event(1)])
    place.put("events.xlsx", b"x")
    report = place.land()
    assert (report.files, report.accepted) == ([], 0)
    assert [warning.split(":")[0] for warning in report.all_warnings] == ["events.xlsx"]


def test_file_that_names_no_table(place: Place) -> None:
    place.put("mystery.ndjson", [event(1)])
    place.put("events.ndjson", [event(2)])
    report = place.land(allow_unreadable=True)
    (failure,) = report.failures
    assert (failure.path, failure.status) == ("mystery.ndjson", "no_table")
    assert all(name in failure.detail for name in contract())
    assert report.accepted == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events/anything.ndjson", "events"),
        ("raw_events/2026/x.csv", "events"),
        ("events.ndjson", "events"),
        ("events_2026-01-01.csv", "events"),
        ("events-part3.parquet", "events"),
        ("raw_events.csv", "events"),
        ("EVENTS.csv", "events"),
        ("2026-01-01/orders.csv", "orders"),
        ("creator_daily_1.csv", "creator_daily"),
        ("creators_1.csv", "creators"),
        ("bot_tags.csv", "bot_tags"),
        ("bots 1.csv", "bots"),
        ("experiment_exposures.csv", "experiment_exposures"),
        ("users/events.csv", "users"),
        ("eventsource.csv", None),
        ("my_events.csv", None),
    ],
)
def test_table_of_a_path(path: str, expected: str | None) -> None:
    assert table_of(path) == expected


def _corrupt(kind: str, good: bytes) -> bytes:
    return {
        "truncated": good[: len(good) // 2],
        "zero_bytes": b"",
        "text": b"this is no parquet file\n" * 10,
        "footer": good[:-12] + b"\xff" * 8 + good[-4:],
        "page": good[:40] + bytes(byte ^ 0x5A for byte in good[40:4000]) + good[4000:],
    }[kind]


def test_corrupt_parquet(place: Place) -> None:
    kinds = ("footer", "page", "text", "truncated", "zero_bytes")
    good = place.put("events.parquet", b"")
    ids = [f"e{number * 7919}" for number in range(5000)]
    pq.write_table(pa.table({"event_id": ids}), good, compression="snappy", use_dictionary=False)
    for kind in kinds:
        place.put(f"events_{kind}.parquet", _corrupt(kind, good.read_bytes()))
    report = place.land()
    assert [file.path for file in report.failures] == [f"events_{kind}.parquet" for kind in kinds]
    assert {file.status for file in report.failures} == {"unreadable"}
    assert place.rows("events", "count(*)") == [(5000,)]
    reasons = {row["path"]: row["reason"] for row in place.manifest() if row["reason"]}
    assert reasons == {file.path: file.detail for file in report.failures}
    assert place.land(allow_unreadable=True).failures == []
    assert len(place.manifest()) == 6
    for kind in kinds:
        rows = pa.table({"event_id": [kind]})
        pq.write_table(rows, place.inbox / f"events_{kind}.parquet")
    assert place.land().failures == []
    assert place.rows("events", "count(*)") == [(5005,)]
    place.assert_conserved()


def test_reader_that_crashes_costs_one_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        path = place.put(f"events_{number}.parquet", b"")
        pq.write_table(pa.table({"event_id": [f"e{number}"]}), path)
    real = subprocess.Popen
    crash = "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)"
    started: list[int] = []

    def popen(command: list[str], **options: Any) -> Any:
        started.append(1)
        return real([command[0], "-c", crash] if len(started) == 1 else command, **options)

    monkeypatch.setattr("plumbline.landing.worker.subprocess.Popen", popen)
    report = place.land()
    assert [(file.path, file.status) for file in report.files] == [
        ("events_1.parquet", "unreadable"),
        ("events_2.parquet", "ok"),
    ]
    assert "SIGSEGV" in report.failures[0].detail


def test_csv_without_a_usable_header(place: Place) -> None:
    place.put("orders_a.csv", "no,header\n1,2\n")
    place.put("orders_b.csv", "order_id,order_id\n1,2\n")
    place.put("orders_c.csv", b"order_id,\xff\n1,2\n")
    report = place.land()
    assert [file.status for file in report.failures] == ["unreadable"] * 3
    assert [
        "no column of orders" in report.failures[0].detail,
        "more than once" in report.failures[1].detail,
        "UTF-8" in report.failures[2].detail,
    ] == [True] * 3


# ---------------------------------------------------------------- columns
def test_new_column(place: Place) -> None:
    place.put("events.ndjson", [event(1, shiny=1)])
    path = place.put("bots.parquet", b"")
    pq.write_table(pa.table({"bot_id": ["b"], "gloss": [1]}), path)
    report = place.land()
    assert report.accepted == 2
    for name, file in (("shiny", "events.ndjson"), ("gloss", "bots.parquet")):
        assert any(name in text and file in text for text in report.all_warnings)


def test_missing_column(place: Place) -> None:
    place.put("orders.csv", "order_id,kind\no1,coins\n")
    report = place.land()
    assert place.rows("orders", "order_id, user_id, creator_id") == [("o1", None, None)]
    (warning,) = report.all_warnings
    assert "user_id" in warning
    assert "orders.csv" in warning
    assert "creator_id" not in warning


def test_default_fills_what_is_absent(place: Place) -> None:
    rows = [b'{"experiment_id":"x"}', b'{"unit_type":null}', b'{"unit_type":"bot"}']
    place.put("experiments.ndjson", rows)
    place.put("experiments.csv", "experiment_id,unit_type\nx,\n")
    pq.write_table(pa.table({"experiment_id": ["x"]}), place.put("experiments.parquet", b""))
    place.land()
    found = place.rows("experiments", "unit_type")
    assert found == [("bot",), *[("user",)] * 4]


def test_ingested_at_is_kept_or_stamped(place: Place) -> None:
    place.put("events.ndjson", [event(1), event(2, ingested_at="2026-02-01T00:00:00+01:00")])
    time = pa.array([dt.datetime(2026, 2, 2)], pa.timestamp("us"))
    pq.write_table(
        pa.table({"event_id": ["e3"], "ingested_at": time}), place.put("events.parquet", b"")
    )
    pq.write_table(pa.table({"event_id": ["e4"]}), place.put("events_4.parquet", b""))
    place.land()
    assert place.rows("events", "event_id, ingested_at") == [
        ("e1", MOMENT),
        ("e2", dt.datetime(2026, 1, 31, 23)),
        ("e3", dt.datetime(2026, 2, 2)),
        ("e4", MOMENT),
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("event_id", pa.array([1])),
        ("event_time", pa.array(["2026-01-01"])),
        ("event_time", pa.array([1.5])),
        ("engaged_seconds", pa.array(["1.5"])),
        ("engaged_seconds", pa.array([True])),
    ],
)
def test_parquet_column_of_another_type(place: Place, name: str, values: pa.Array) -> None:
    pq.write_table(pa.table({name: values}), place.put("events.parquet", b""))
    (failure,) = place.land().failures
    assert failure.status == "unreadable"
    assert name in failure.detail
    assert table("events").by_name[name].type in failure.detail


def test_parquet_types_that_widen(place: Place) -> None:
    time = dt.datetime(2026, 1, 5, 10)
    columns = {
        "response_id": pa.array(["a", "b", "c"]).dictionary_encode(),
        "user_id": pa.array(["u"] * 3, pa.large_string()),
        "responded_at": pa.array([time] * 3, pa.timestamp("ns", tz="Europe/Paris")),
        "prompt_tokens": pa.array([1, 2, 3], pa.int32()),
        "latency_ms": pa.array([1, 2**64 - 1, 3], pa.uint64()),
        "cost_usd": pa.array([0.1, 0.2, float("nan")], pa.float64()),
        "session_id": pa.nulls(3),
    }
    pq.write_table(pa.table(columns), place.put("llm_responses.parquet", b""))
    place.land()
    found = place.rows("llm_responses", "response_id, responded_at, prompt_tokens, cost_usd::text")
    assert found == [("a", time, 1, "0.100000")]
    assert place.rejects("line_number, reason") == [
        (2, "invalid:latency_ms"),
        (3, "invalid:cost_usd"),
    ]
    schema = pq.read_schema(next((place.lake / "llm_responses").glob("[1-9a-f]*.parquet")))
    assert schema.equals(table("llm_responses").schema)


def test_parquet_text_that_is_not_utf8(place: Place) -> None:
    good, bad = "é".encode(), b"\xff\xfe"
    offsets = pa.py_buffer(b"".join(i.to_bytes(4, "little") for i in (0, 2, 4, 6)))
    values = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(good + bad + good)])
    pq.write_table(pa.table({"event_id": values}), place.put("events.parquet", b""))
    place.land()
    assert place.rows("events", "event_id") == [("é",), ("é",)]
    assert place.rejects("line_number, reason, payload_encoding") == [(2, "invalid_utf8", "hex")]
    assert land(place.inbox, place.lake, replay=True).accepted == 0
    place.assert_conserved()


# ---------------------------------------------------------------- files of sinks
def _direct(place: Place, name: str, **columns: Any) -> Path:
    prepare_lake(place.lake)
    events = table("events")
    count = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(count, field.type)
        for field in events.schema
    ]
    path = place.lake / "events" / name
    pq.write_table(pa.table(arrays, schema=events.schema), path)
    return path


def test_direct_file_is_registered(place: Place) -> None:
    times = [dt.datetime(2026, 1, 5, 23), dt.datetime(2026, 1, 6), None]
    _direct(place, "day 1.parquet", event_id=["a", "b", "c"], event_time=times)
    report = place.land()
    assert [(file.path, file.status) for file in report.files] == [
        ("events/day 1.parquet", "direct")
    ]
    (row,) = place.manifest()
    assert (row["load_id"], row["line_count"], row["status"]) == ("day 1", 3, "direct")
    days = place.rows("_landing/fingerprints", "landed_date, row_count")
    assert days == [
        (dt.date(1900, 1, 1), 1),
        (dt.date(2026, 1, 5), 1),
        (dt.date(2026, 1, 6), 1),
    ]
    assert place.land().files == []
    place.assert_conserved()


def test_same_rows_have_the_same_fingerprint_however_they_came(place: Place) -> None:
    times = [dt.datetime(2026, 1, 5, 10)] * 2
    _direct(place, "sink.parquet", event_id=["e2", "e1"], event_time=times)
    place.put("events.ndjson", [event(1), event(2)])
    place.land()
    marks = place.rows("_landing/fingerprints", "distinct landed_date, row_count, fingerprint")
    assert len(marks) == 1


def test_direct_file_that_changed_or_went(place: Place) -> None:
    first = _direct(place, "a.parquet", event_id=["a"])
    second = _direct(place, "b.parquet", event_id=["b"])
    place.land()
    _direct(place, "a.parquet", event_id=["other"])
    second.unlink()
    found = {file.path: file.status for file in place.land(allow_unreadable=True).failures}
    assert found == {"events/a.parquet": "changed", "events/b.parquet": "missing"}
    assert first.exists()


def test_landed_data_that_went(place: Place) -> None:
    place.put("events.ndjson", [event(1)])
    place.land()
    (path,) = (place.lake / "events").glob("[1-9a-f]*.parquet")
    path.unlink()
    (failure,) = place.land().failures
    assert (failure.path, failure.status) == (f"events/{path.name}", "missing")


def test_direct_file_of_another_type(place: Place) -> None:
    prepare_lake(place.lake)
    path = place.lake / "events" / "a.parquet"
    pq.write_table(pa.table({"event_id": ["a"], "event_time": ["2026-01-01"]}), path)
    (place.lake / "events" / "b.parquet").write_bytes(b"PAR1 nonsense PAR1")
    failures = place.land(allow_unreadable=True).failures
    assert [file.path for file in failures] == ["events/a.parquet", "events/b.parquet"]
    assert "event_time is string" in failures[0].detail
    assert place.manifest() == []


# ---------------------------------------------------------------- pseudonyms
HANDLES = [
    {"creator_id": "c1", "handle": "@ada", "category": "x"},
    {"creator_id": "c2", "handle": "@bob", "joined_at": "yesterday"},
    {"creator_id": "c3", "handle": ["@eve"], "category": "x"},
    {"creator_id": "c4", "handle": "@" + "z" * 2000},
    {"creator_id": "c5", "handle": "@fay", "category": {"deep": "@fay"}, "extra": "@fay"},
    {"creator_id": "c6", "handle": " "},
]
NAMES = (b"@ada", b"@bob", b"@eve", b"@zzz", b"@fay", b"@gil", b"@hal")


def test_handles_leave_no_trace(place: Place) -> None:
    lines = [json.dumps(row).encode() for row in HANDLES]
    place.put("creators.ndjson", [*lines, b'{"handle":"@gil"', b'{"handle":"@gil\xff"}'])
    place.put("creators.csv", "creator_id,handle,joined_at\nc7,@hal,bad\nc8,@hal\nc9,@hal,torn")
    pq.write_table(
        pa.table(
            {
                "creator_id": ["c10"],
                "handle": ["@ada"],
                "target_reach": pa.array([2**64 - 1], pa.uint64()),
            }
        ),
        place.put("creators.parquet", b""),
    )
    place.land()
    for name, stored in tree(place.lake).items():
        if name.endswith(".parquet"):
            text = str(pq.read_table(pa.BufferReader(stored)).to_pylist()).encode()
            assert not any(handle in text for handle in NAMES), name
            assert not any(handle in stored for handle in NAMES), name
    accepted = place.rows("creators", "creator_id, handle")
    assert [row[0] for row in accepted] == ["c1", "c6"]
    assert (len(accepted[0][1]), accepted[1][1]) == (32, " ")
    place.assert_conserved()


def test_masked_reject_is_released_with_the_same_pseudonym(
    place: Place, loosened: Callable[[str, str], None]
) -> None:
    place.put("creators.ndjson", [json.dumps(row).encode() for row in HANDLES[:2]])
    place.put("creators_2.ndjson", [json.dumps({"creator_id": "c9", "handle": "@bob"}).encode()])
    place.land()
    loosened("creators", "joined_at")
    place.land(replay=True)
    handles = dict(place.rows("creators", "creator_id, handle"))
    assert handles["c2"] == handles["c9"]


def test_salt_unset(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUMBLINE_PSEUDONYM_SALT")
    place.put("events.ndjson", [event(1)])
    assert place.land().accepted == 1
    place.put("creators.csv", "creator_id,handle\nc1,@ada\n")
    with pytest.raises(PlumblineError, match="PLUMBLINE_PSEUDONYM_SALT"):
        place.land()


# ---------------------------------------------------------------- replay
@pytest.fixture
def loosened(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Make one column of one table text, as a fix of the contract would."""

    def loosen(name: str, column: str) -> None:
        import dataclasses

        old = table(name)
        columns = tuple(
            dataclasses.replace(item, type="string", max_length=100_000)
            if item.name == column
            else item
            for item in old.columns
        )
        new = dataclasses.replace(
            old, columns=columns, by_name={item.name: item for item in columns}
        )
        monkeypatch.setitem(contract(), name, new)

    return loosen


def test_replay_releases_what_a_fix_allows(
    place: Place, loosened: Callable[[str, str], None]
) -> None:
    place.put("events.ndjson", [event(1), event(2, source="x" * 2000), b"bad", event(3)])
    place.land()
    assert place.land(replay=True).accepted == 0
    loosened("events", "source")
    report = place.land(replay=True)
    assert [(file.status, file.accepted) for file in report.files] == [("replayed", 1)]
    assert place.rows("events", "event_id") == [("e1",), ("e2",), ("e3",)]
    assert place.rejects("line_number, reason") == [(3, "invalid_json")]
    loads = {row["load_id"][16:]: row for row in place.manifest()}
    assert {key: row["line_count"] for key, row in loads.items()} == {"": 3, "-r1": 1}
    assert sum(row["line_count"] for row in place.manifest()) == 4
    place.assert_conserved()
    before = tree(place.lake)
    assert place.land(replay=True).files == []
    assert tree(place.lake) == before


def test_replay_releases_csv_rows(place: Place) -> None:
    place.put("orders.csv", f'{CSV_HEADER}\n{order(1)}\no2,bad\n"o\n3"{order(3)[2:]}')
    place.land()
    assert place.rows("orders", "order_id") == [("o1",)]
    place.land(replay=True, accept_unterminated=True)
    assert place.rows("orders", "order_id") == [("o\n3",), ("o1",)]
    assert place.rejects("line_number, reason") == [(3, "invalid_csv")]
    place.assert_conserved()


# ---------------------------------------------------------------- kills, locks, command
class KilledError(BaseException):
    """Stands for a kill between two writes."""


@pytest.mark.parametrize("step", range(5))
def test_kill_between_any_two_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    place.put("events.ndjson", [event(1), b"bad", event(2)])
    prepare_lake(place.lake)
    real, calls = store.publish, []

    def publish(source: Path, final: Path) -> None:
        if len(calls) == step:
            raise KilledError
        calls.append(final)
        real(source, final)

    monkeypatch.setattr(store, "publish", publish)
    if step < 4:
        with pytest.raises(KilledError):
            place.land()
        assert place.manifest() == []
    else:
        place.land()
    monkeypatch.setattr(store, "publish", real)
    report = place.land()
    assert report.accepted == (2 if step < 4 else 0)
    assert place.rows("events", "event_id") == [("e1",), ("e2",)]
    assert len(place.rejects()) == 1
    assert not list(place.lake.rglob("*.inprogress"))
    place.assert_conserved()


@pytest.mark.parametrize("step", range(4))
def test_kill_in_a_replay_loses_nothing(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    loosened: Callable[[str, str], None],
    step: int,
) -> None:
    place.put("events.ndjson", [event(1), event(2, source="x" * 2000), b"bad"])
    place.land()
    loosened("events", "source")
    prepare_lake(place.lake)
    real, calls = store.publish, []

    def publish(source: Path, final: Path) -> None:
        if len(calls) == step:
            raise KilledError
        calls.append(final)
        real(source, final)

    monkeypatch.setattr(store, "publish", publish)
    with pytest.raises(KilledError):
        place.land(replay=True)
    monkeypatch.setattr(store, "publish", real)
    place.land()
    assert place.rows("events", "event_id") == [("e1",)]
    assert len(place.rejects()) == 2
    place.assert_conserved()
    place.land(replay=True)
    assert place.rows("events", "event_id") == [("e1",), ("e2",)]
    place.assert_conserved()


def test_what_a_dead_run_left_goes_even_when_the_inbox_is_empty(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.put("events.ndjson", [event(1), b"bad"])
    _direct(place, "sink.parquet", event_id=["s"])
    place.land(accept_unterminated=True)
    for file in (place.lake / "_landing" / "manifest").glob("events--*.parquet"):
        file.unlink()
    path.unlink()
    report = place.land()
    assert any("died" in warning for warning in report.all_warnings)
    assert place.rows("events", "event_id") == [("s",)]
    assert place.rejects() == []
    place.assert_conserved()


def test_file_that_changes_while_it_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.put("events.ndjson", [event(1)])
    from plumbline.landing import run as module

    real = module.land_ndjson

    def grow(*arguments: Any) -> Any:
        prepared = real(*arguments)
        with path.open("ab") as stream:
            stream.write(event(2) + b"\n")
        return prepared

    monkeypatch.setattr(module, "land_ndjson", grow)
    (failure,) = place.land().failures
    assert "changed while it was read" in failure.detail
    assert place.rows("events", "count(*)") == [(0,)]
    monkeypatch.setattr(module, "land_ndjson", real)
    assert place.land().accepted == 2


def test_two_landings_at_once(place: Place) -> None:
    prepare_lake(place.lake)
    with store.locked(place.lake), pytest.raises(PlumblineError, match=f"process {os.getpid()} "):
        place.land()
    assert place.land().failures == []


def test_inbox_and_lake_must_not_hold_one_another(place: Place) -> None:
    with pytest.raises(PlumblineError, match="inside one another"):
        land(place.inbox, place.inbox / "lake")
    with pytest.raises(PlumblineError, match="no folder"):
        land(place.inbox / "nothing", place.lake)


def test_lake_that_cannot_be_written(place: Place) -> None:
    place.lake.write_text("a file stands where the lake should be")
    with pytest.raises(PlumblineError, match="cannot be written"):
        place.land()


def test_prepare_lake_gives_every_table_an_anchor(place: Place) -> None:
    prepare_lake(place.lake)
    for name, item in contract().items():
        anchor = pq.ParquetFile(place.lake / name / "0-contract.parquet")
        assert anchor.schema_arrow.equals(item.schema)
        assert anchor.metadata.num_rows == 0
    before = tree(place.lake)
    prepare_lake(place.lake)
    assert tree(place.lake) == before


def test_command_says_what_happened_and_exits_with_3(place: Place) -> None:
    place.put("events.ndjson", [event(1), b"bad"])
    place.put("users.parquet", b"nonsense")
    arguments = ["land", "--inbox", str(place.inbox), "--lake", str(place.lake)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 3
    (line,) = [line for line in done.output.splitlines() if line.startswith("error:")]
    assert "users.parquet" in line
    assert "1 rejected: invalid_json" in done.output
    done = CliRunner().invoke(main, [*arguments, "--allow-unreadable"])
    assert (done.exit_code, "error:" in done.output) == (0, False)
    done = CliRunner().invoke(main, [*arguments, "--ingested-at", "soon"])
    assert isinstance(done.exception, PlumblineError)
