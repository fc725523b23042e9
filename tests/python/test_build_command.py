"""``plumbline build`` as a user meets it: what it does, skips, says and refuses."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from plumbline.building.dbt import _collect
from warehouse import write_rows

START = datetime(2026, 4, 1)


def _events(first: int, count: int, **fixed: Any) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"e{number}",
            "event_time": START + timedelta(minutes=37 * number),
            "user_id": f"u{number % 7}",
            "event_name": ("bot_impression", "bot_view", "message_sent")[number % 3],
            "bot_id": f"b{number % 2}",
            "ingested_at": START + timedelta(days=60),
            **fixed,
        }
        for number in range(first, first + count)
    ]


class Place:
    """A lake, an inbox and a state folder of their own."""

    def __init__(self, folder: Path):
        self.lake, self.inbox, self.state = folder / "lake", folder / "inbox", folder / "state"

    def plumbline(self, *args: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PLUMBLINE_")}
        return subprocess.run(
            [sys.executable, "-m", "plumbline", *args],
            env={**kept, "PLUMBLINE_STATE": str(self.state)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def build(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self.plumbline(
            "build", "--data", str(self.lake), "--no-expectations", "--no-unit-tests", *args
        )

    @property
    def database(self) -> Path:
        return next(self.state.glob("*/plumbline.duckdb"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("build"))
    write_rows(place.lake, "events", "first", _events(0, 300))
    _one_metric_builds_its_lineage_and_nothing_else(place)
    # The rest was not built: the next whole build must not take that one for its last.
    done = place.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing changed" not in done.stderr
    for said in (
        "What landed",
        "Marts",
        "agg_active_users__daily",
        "Last complete day",
        "Where to look",
    ):
        assert said in done.stdout
    return place


def _one_metric_builds_its_lineage_and_nothing_else(place: Place) -> None:
    done = place.build("--metric", "dau")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "growth.agg_active_users__daily.daily_active_users" in done.stdout
    with duckdb.connect(str(place.database), read_only=True) as connection:
        made = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where schema_name in ('engagement', 'growth', 'retention')"
        ).fetchall()
    assert made == [("growth", "agg_active_users__daily")]


def _one_line_error(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.lower().startswith("error")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0], lines[0]


def test_nothing_changed_is_skipped_and_said(built: Place) -> None:
    before = built.database.stat().st_mtime_ns
    done = built.build()
    assert done.returncode == 0
    assert "Nothing changed since the last build" in done.stderr
    assert built.database.stat().st_mtime_ns == before


def test_a_metric_of_a_whole_build_is_up_to_date(built: Place) -> None:
    assert "Nothing changed" in built.build("--metric", "bot_ctr").stderr


def test_a_new_file_rebuilds_and_the_numbers_follow(built: Place) -> None:
    write_rows(built.lake, "events", "second", _events(300, 40))
    done = built.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Building what changed" in done.stderr
    with duckdb.connect(str(built.database), read_only=True) as connection:
        loads = connection.execute(
            "select load_id, accepted_count from core.fct_loads where table_name = 'events' order by 1"
        ).fetchall()
    assert loads == [("first", 300), ("second", 40)]


def test_check_finds_what_was_changed_by_hand_and_force_heals_it(built: Place) -> None:
    assert built.plumbline("check", "--data", str(built.lake)).returncode == 0
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(
            "update staging.stg_product__events__judged set user_key = 1 where event_code = 2"
        )
    done = built.plumbline("check", "--data", str(built.lake))
    assert done.returncode == 1
    assert "stored events are those the facts were built from" in done.stderr
    assert built.build("--force", "--metric", "dau").returncode == 0
    assert built.plumbline("check", "--data", str(built.lake)).returncode == 0


def test_a_second_build_names_the_holder(built: Place) -> None:
    state = built.database.parent
    with (state / "lock").open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.truncate(0)
        handle.write("process 4711")
        handle.flush()
        _one_line_error(built.build(), 2, "process 4711", "Wait for it")


def test_warnings_are_told_apart_from_failures(tmp_path: Path) -> None:
    nodes = [
        {"unique_id": f"test.plumbline.{status}_node.1", "status": status, "execution_time": 0.1,
         "message": f"{status}:\n add  a row"}
        for status in ("pass", "warn", "fail", "error")
    ]  # fmt: skip
    record = tmp_path / "run_results.json"
    record.write_text(json.dumps({"results": nodes}), encoding="utf-8")
    result = _collect(record, 0.0)
    assert result.warnings == ["test warn_node: warn: add a row"]
    assert result.failures == [
        "test fail_node: fail: add a row",
        "test error_node: error: add a row",
    ]
    assert not result.succeeded and replace(result, failures=[]).succeeded


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("no-such-place", ("no-such-place", "demo")),
        ("999m", ("999m", "1k to 100m")),
    ],
)
def test_wrong_data_is_one_clear_line(tmp_path: Path, data: str, words: tuple[str, ...]) -> None:
    _one_line_error(Place(tmp_path).plumbline("build", "--data", data), 2, *words)


def test_a_metric_nobody_knows_is_one_clear_line(tmp_path: Path) -> None:
    done = Place(tmp_path).plumbline("build", "--metric", "bot_crt")
    _one_line_error(done, 2, "bot_crt", "bot_ctr")


def test_an_unreadable_file_stops_the_build_by_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (place.inbox / "events").mkdir(parents=True)
    (place.inbox / "events" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    _one_line_error(place.build("--inbox", str(place.inbox)), 2, "torn.parquet")
    assert not list(place.state.glob("*/plumbline.duckdb"))


def test_a_delivery_that_is_wrong_as_a_whole_fails_by_name(built: Place) -> None:
    write_rows(built.lake, "events", "renamed", _events(340, 100, user_id=None))
    done = built.build()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "assert_no_reason_takes_too_large_a_share" in done.stdout
    # The failed build is no last good one: it is not skipped next time.
    assert "Nothing changed" not in built.build("--metric", "dau").stderr
