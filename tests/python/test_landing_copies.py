"""Parquet in the contract's schema is copied: the lake must be what encoding every row would give."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plumbline.contract.model import table
from plumbline.landing import land
from plumbline.landing.lake import content_hash

EVENTS = table("events")
START = dt.datetime(2026, 1, 1)


def events(count: int, **more: Any) -> pa.Table:
    """Events exactly in the contract's schema."""
    rows = [
        {
            "event_id": f"e{number:05d}",
            "event_time": START + dt.timedelta(minutes=17 * number),
            "user_id": None if number % 3 == 0 else f"u{number}",
            "anonymous_id": f"a{number}" if number % 3 == 0 else None,
            "event_name": "app_open",
            "ingested_at": START + dt.timedelta(days=40),
            **more,
        }
        for number in range(count)
    ]
    full = [{name: row.get(name) for name in EVENTS.schema.names} for row in rows]
    return pa.Table.from_pylist(full, schema=EVENTS.schema)


def landed(folder: Path, rows: pa.Table, **options: Any) -> tuple[Path, Path, Any]:
    """Land one file; its source, the one data file of the lake, and the report."""
    inbox = folder / "inbox" / "events"
    inbox.mkdir(parents=True)
    source = inbox / "part.parquet"
    pq.write_table(rows, source, **options)
    report = land(folder / "inbox", folder / "lake")
    data = [p for p in (folder / "lake" / "events").glob("*.parquet") if p.stem != "0-contract"]
    assert len(data) == 1
    return source, data[0], report


def marks(folder: Path) -> list[dict[str, Any]]:
    """What landing recorded of each day, apart from the load's name."""
    found = pq.read_table(folder / "lake" / "_landing" / "fingerprints", partitioning=None)
    return [
        {name: row[name] for name in ("landed_date", "row_count", "fingerprint")}
        for row in found.sort_by("landed_date").to_pylist()
    ]


def test_a_clean_file_in_the_contracts_schema_is_copied(tmp_path: Path) -> None:
    source, data, report = landed(tmp_path, events(500))
    assert data.read_bytes() == source.read_bytes()
    assert (report.accepted, report.rejected) == (500, 0)
    # Another writer's options give other bytes, but the same rows and the same fingerprints.
    other = tmp_path / "other"
    landed(other, events(500).select(EVENTS.schema.names[::-1]), compression="gzip")
    assert marks(other) == marks(tmp_path)


@pytest.mark.parametrize(
    ("case", "rows", "options"),
    [
        ("other column order", events(50).select(EVENTS.schema.names[::-1]), {}),
        ("a column less", events(50).drop_columns(["platform"]), {}),
        ("arrival not stamped", events(50, ingested_at=None), {}),
        ("text too long", events(50, country="x" * 2000), {}),
        ("many small row groups", events(50), {"row_group_size": 10}),
    ],
)
def test_any_other_file_is_written_anew(
    tmp_path: Path, case: str, rows: pa.Table, options: dict[str, Any]
) -> None:
    if case == "text too long":
        inbox = tmp_path / "inbox" / "events"
        inbox.mkdir(parents=True)
        mixed = pa.concat_tables([events(49), rows.slice(0, 1)])
        pq.write_table(mixed, inbox / "part.parquet")
        report = land(tmp_path / "inbox", tmp_path / "lake")
        assert (report.accepted, report.reasons) == (49, {"too_long:country": 1})
        return
    source, data, report = landed(tmp_path, rows, **options)
    assert data.read_bytes() != source.read_bytes()
    assert (report.accepted, report.rejected) == (50, 0)
    found = pq.read_table(data, partitioning=None)
    assert found.schema.remove_metadata().equals(EVENTS.schema)
    assert found.column("ingested_at").null_count == 0
    assert sum(mark["row_count"] for mark in marks(tmp_path)) == 50


def test_a_damaged_page_is_found_although_the_bytes_would_only_be_copied(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox" / "events"
    inbox.mkdir(parents=True)
    path = inbox / "part.parquet"
    pq.write_table(events(5000), path, compression="none", write_page_checksum=True)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    path.write_bytes(bytes(raw))
    report = land(tmp_path / "inbox", tmp_path / "lake")
    assert [file.status for file in report.failures] == ["unreadable"]
    left = [p.name for p in (tmp_path / "lake" / "events").iterdir()]
    assert left == ["0-contract.parquet"]


def test_a_copy_left_by_a_dead_run_is_done_again(tmp_path: Path) -> None:
    """Killed after the data and before the manifest: the copy is no sink's file."""
    source, data, _ = landed(tmp_path, events(80))
    for path in (tmp_path / "lake" / "_landing" / "manifest").glob("events--*.parquet"):
        path.unlink()
    assert content_hash(data).startswith(data.stem)
    report = land(tmp_path / "inbox", tmp_path / "lake")
    assert (report.accepted, [file.status for file in report.files]) == (80, ["ok"])
    assert data.read_bytes() == source.read_bytes()


def test_a_sinks_file_with_a_name_like_a_load_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "lake" / "events"
    folder.mkdir(parents=True)
    pq.write_table(events(7), folder / "0123456789abcdef.parquet")
    report = land(None, tmp_path / "lake")
    assert [(file.status, file.accepted) for file in report.files] == [("direct", 7)]
    assert (folder / "0123456789abcdef.parquet").is_file()
