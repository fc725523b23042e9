"""Landing speed: lines of NDJSON and rows of Parquet per CPU second, and peak memory.

Run it as ``python benchmarks/bench_landing.py [ROWS]``; every figure has its own process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_CHUNK = 100_000
_START_US = 1_767_225_600_000_000
_DAY_US = 86_400_000_000
_NAMES = ["app_open", "bot_impression", "bot_view", "message_sent", "feature_used"]


def _chunk(start: int, count: int) -> pa.Table:
    """Invented events, typical in width: 32-digit ids, sessions, a few nulls, one decimal."""
    random = np.random.default_rng(start)
    high, low = (random.integers(0, 2**63, count, dtype=np.int64) for _ in range(2))
    pick = random.integers(0, len(_NAMES), count)
    users = [f"u{value:07d}" for value in random.integers(0, 50_000, count)]
    return pa.table(
        {
            "event_id": [f"{a:016x}{b:016x}" for a, b in zip(high, low, strict=True)],
            "event_time": pa.array(
                _START_US + random.integers(0, 28 * _DAY_US, count), pa.timestamp("us")
            ),
            "user_id": pa.array(users, mask=pick == 0),
            "session_id": [f"s{value:012x}" for value in random.integers(0, 2**40, count)],
            "event_name": [_NAMES[value] for value in pick],
            "bot_id": [f"b{value:05d}" for value in random.integers(0, 5_000, count)],
            "platform": [("ios", "android", "web")[value % 3] for value in pick],
            "country": ["US"] * count,
            "app_version": ["4.12.1"] * count,
            "engaged_seconds": pa.array(np.round(random.random(count) * 300, 3), mask=pick < 3),
        }
    )


def _write_parquet(rows: int, path: Path) -> None:
    writer = None
    for start in range(0, rows, _CHUNK):
        table = _chunk(start, min(_CHUNK, rows - start))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _write_contract(rows: int, path: Path) -> None:
    """The same events as a sink writes them that knows the contract: all columns, its types."""
    from plumbline.contract.model import table

    schema = table("events").schema
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, 5 * _CHUNK):
            count = min(5 * _CHUNK, rows - start)
            known = _chunk(start, count)
            known = known.append_column("ingested_at", known["event_time"])
            columns = [
                known[field.name].cast(field.type, safe=False)
                if field.name in known.column_names
                else pa.nulls(count, field.type)
                for field in schema
            ]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=count)


def _write_ndjson(rows: int, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for start in range(0, rows, _CHUNK):
            table = _chunk(start, min(_CHUNK, rows - start))
            times = pc.strftime(table["event_time"], format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(1, "event_time", times)
            for row in table.to_pylist():
                filled = {name: value for name, value in row.items() if value is not None}
                stream.write(json.dumps(filled) + "\n")


def _measure(inbox: Path, lake: Path) -> dict[str, float]:
    """Land in this process; CPU seconds and peak memory include the Parquet child."""
    from plumbline.landing import land

    # Start-up (imports, the child, the first query) is no part of a rate: a landing of one row
    # is measured first and taken off.
    tiny = inbox.parent / "tiny"
    tiny.mkdir()
    _write_ndjson(1, tiny / "events.ndjson")
    _write_parquet(1, tiny / "events.parquet")
    start = sum(os.times()[:4])
    land(tiny, inbox.parent / "tiny-lake")
    before = sum(os.times()[:4])
    report = land(inbox, lake)
    after = sum(os.times()[:4]) - (before - start if inbox.parent.name != "ndjson" else 0)
    own, child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"accepted": report.accepted, "cpu_seconds": after - before, "peak_mib": max(own, child)}


def run(rows: int) -> dict[str, float]:
    """Land ``rows`` events as NDJSON and as Parquet.

    Returns:
        ``ndjson_lines_per_cpu_second``, ``parquet_rows_per_cpu_second`` (the contract's own schema),
        ``foreign_parquet_rows_per_cpu_second`` (columns missing, a float) and the peak resident
        memory of both in MiB.
    """
    found: dict[str, float] = {"rows": rows}
    with tempfile.TemporaryDirectory() as folder:
        kinds = (
            ("ndjson", _write_ndjson),
            ("parquet", _write_contract),
            ("foreign_parquet", _write_parquet),
        )
        for kind, write in kinds:
            inbox, lake = Path(folder, kind, "inbox"), Path(folder, kind, "lake")
            inbox.mkdir(parents=True)
            write(rows, inbox / f"events.{kind.split('_')[-1]}")
            done = subprocess.run(
                [sys.executable, __file__, "--measure", str(inbox), str(lake)],
                check=True,
                capture_output=True,
                text=True,
            )
            result = json.loads(done.stdout.strip().splitlines()[-1])
            if result["accepted"] != rows:
                raise AssertionError(f"{kind}: {result['accepted']} of {rows} rows landed")
            unit = "lines" if kind == "ndjson" else "rows"
            found[f"{kind}_{unit}_per_cpu_second"] = round(rows / result["cpu_seconds"])
            found[f"{kind}_peak_mib"] = round(result["peak_mib"])
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(_measure(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), indent=2))
