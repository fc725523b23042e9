"""Seeds, a landed lake and a team's own catalog are three doors to one warehouse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from conftest import ROOT, dbt_runner
from plumbline.contract import contract
from warehouse import MARTS, Warehouse
from worlds import World

SAMPLE = ROOT / "seeds" / "raw"
# All that may read raw, and marts that stand on every incremental table. Whatever else there is reads
# accepted rows of staging only (a rule of the linter), and is made of equal rows in the same way.
SELECTION = ("path:models/staging", "+path:models/marts/core", "+fct_user_days")
# Everything that arrived from this moment on comes with a second delivery.
SECOND_DELIVERY = "2026-01-20 12:00:00"
# Loads are what differs: one seed, one file a table, one day of arrival.
OWN_TO_A_MODE = {"core.fct_loads"}

Marts = dict[str, tuple[int, str]]


def _marts(warehouse: Warehouse) -> Marts:
    hashes = warehouse.hashes(MARTS)
    return {name: found for name, found in hashes.items() if name not in OWN_TO_A_MODE}


def _accepted(warehouse: Warehouse) -> Marts:
    """Row count and hash of the accepted rows of every raw table, whichever load they came with."""
    views = warehouse.query(
        "select view_name from duckdb_views() where schema_name = 'staging' "
        "and regexp_full_match(view_name, 'stg_[a-z]+__[a-z]+(_[a-z]+)*') "
        "and view_name not like 'stg_landing%' order by 1"
    )
    return warehouse.digests(
        {view: f"select columns(c -> c <> 'load_id') from staging.{view}" for (view,) in views}
    )


def _sample_query(table_name: str, columns: dict[str, str]) -> str:
    path = SAMPLE / f"raw_{table_name}.csv"
    return f"select * from read_csv('{path}', header = true, columns = {columns})"


def _write_catalog(path: Path, arrived: str) -> None:
    """Add the rows of the sample that arrived under a condition to a team's database."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table_name, table in contract().items():
            columns = {column.name: column.type for column in table.columns}
            listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table if not exists {table_name} ({listed})")
            connection.execute(
                f"insert into {table_name} {_sample_query(table_name, columns)} where {arrived}"
            )


def _catalog_environment(path: Path) -> dict[str, str]:
    return {"PLUMBLINE_RAW": "catalog", "PLUMBLINE_CATALOG_PATH": str(path)}


ALL_TABLES = ("--vars", json.dumps({"catalog_tables": list(contract())}))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A plain ``dbt build`` in a fresh clone, in which a warning is an error."""
    folder = tmp_path_factory.mktemp("seed")
    warehouse = Warehouse(folder, dbt_runner(folder), folder / "no_lake")
    # Unit tests bring their own rows: where raw comes from is nothing to them.
    warehouse.dbt(
        "--warn-error",
        "build",
        "--exclude-resource-type",
        "unit_test",
        env={"PLUMBLINE_RAW": "seed"},
    )
    return warehouse


@pytest.fixture(scope="module")
def seeded(seeds: Warehouse) -> Marts:
    """Marts of the seeds."""
    return _marts(seeds)


def test_the_marts_of_the_sample_hold_rows(seeded: Marts) -> None:
    # Creators report nothing impossible here. No bot is seen a hundred times in 28 days, so none is ranked
    # and none is warned of. Strata have too few units to be ordered, models too few answers a day to alarm.
    assert [name for name, (rows, _) in seeded.items() if rows == 0] == [
        "creators.fct_creator_rejections",
        "engagement.fct_bot_alerts",
        "experimentation.agg_uplift_steps",
        "llm_quality.fct_quality_alerts",
    ]
    assert {name.split(".")[0] for name in seeded} == set(MARTS)


def test_a_landed_lake_gives_the_marts_of_the_seeds(seeded: Marts, sample: World) -> None:
    assert _marts(sample.warehouse) == seeded


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Marts, Marts, Marts]]:
    """Over a catalog: after a first delivery, after a second one, and rebuilt from nothing."""
    folder = tmp_path_factory.mktemp("catalog")
    path = folder / "team's tables.duckdb"
    warehouse = Warehouse(folder, dbt_runner(folder), folder / "no_lake")

    def build(*more: str) -> Marts:
        selected = ("--select", *SELECTION, "--exclude-resource-type", "test", "unit_test")
        warehouse.dbt(
            "--warn-error", "build", *selected, *ALL_TABLES, *more, env=_catalog_environment(path)
        )
        return _accepted(warehouse) | _marts(warehouse)

    _write_catalog(path, f"ingested_at < timestamp '{SECOND_DELIVERY}'")
    first = build()
    _write_catalog(path, f"ingested_at >= timestamp '{SECOND_DELIVERY}' or ingested_at is null")
    second = build()
    yield first, second, build("--full-refresh")


def test_a_catalog_gives_the_rows_of_the_seeds(
    seeds: Warehouse, seeded: Marts, team: tuple[Marts, Marts, Marts]
) -> None:
    told = _accepted(seeds)
    assert len(told) == len(contract())
    assert {rows > 0 for rows, _ in told.values()} == {True, False}
    told |= {name: seeded[name] for name in team[2] if name in seeded}
    assert len(told) > len(contract()) + 5
    assert team[2] == told


def test_rows_added_to_a_catalog_give_what_a_full_refresh_gives(
    team: tuple[Marts, Marts, Marts],
) -> None:
    first, second, whole = team
    assert first["growth.fct_user_days"][0] < second["growth.fct_user_days"][0]
    assert second == whole


# ---------------------------------------------------------------- wrong settings


class Refusing:
    """Runs of dbt that must fail, in one folder so that the project is parsed in part only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = dbt_runner(folder)

    def refuses(self, *args: str, **env: str) -> list[str]:
        """Lines that dbt printed; fails the test when it went well or ended in a stack trace."""
        done: subprocess.CompletedProcess[str] = self.run(args, env=env)
        output = done.stdout + done.stderr
        assert done.returncode != 0, output[-3000:]
        assert "Traceback" not in output, output[-3000:]
        return [line.strip() for line in output.splitlines()]


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Refusing:
    """One folder for all runs that must fail."""
    return Refusing(tmp_path_factory.mktemp("refusing"))


def _says(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


ANY_MODEL = ("run", "--select", "int_as_of")


def test_an_unknown_raw_mode_is_refused(dbt: Refusing) -> None:
    lines = dbt.refuses("parse", PLUMBLINE_RAW="parquet")
    assert _says(lines, "PLUMBLINE_RAW must be seed, lake or catalog, found: parquet")


def test_a_lake_that_is_not_there_says_what_to_run(dbt: Refusing) -> None:
    absent = str(dbt.folder / "absent")
    lines = dbt.refuses(*ANY_MODEL, PLUMBLINE_RAW="lake", PLUMBLINE_LAKE=absent)
    assert _says(lines, "PLUMBLINE_LAKE", absent, "run plumbline land")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30"])
def test_an_as_of_that_is_no_day_is_refused(dbt: Refusing, day: str) -> None:
    lines = dbt.refuses(*ANY_MODEL, PLUMBLINE_AS_OF=day)
    assert _says(lines, "PLUMBLINE_AS_OF must be a date", f"found: {day}")


def test_a_setting_cannot_carry_sql(dbt: Refusing) -> None:
    lines = dbt.refuses(
        *ANY_MODEL, "--vars", json.dumps({"click_window_seconds": "1; drop table x"})
    )
    assert _says(lines, "click_window_seconds must be a number, found: 1; drop table x")


def test_a_limit_that_cannot_be_judged_is_refused(dbt: Refusing) -> None:
    lines = dbt.refuses(*ANY_MODEL, "--vars", json.dumps({"automation_messages_per_minute": 5}))
    assert _says(lines, "automation_messages_per_minute must be 0 (off) or at least 10, found: 5")


MAPPING = ("run", "--select", "map_catalog__events")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "PLUMBLINE_CATALOG_PATH is not set"),
        ("absent.duckdb", "PLUMBLINE_CATALOG_PATH: no file at"),
    ],
)
def test_a_catalog_that_is_not_there_is_refused(dbt: Refusing, path: str, words: str) -> None:
    named = str(dbt.folder / path) if path else ""
    lines = dbt.refuses(*MAPPING, PLUMBLINE_RAW="catalog", PLUMBLINE_CATALOG_PATH=named)
    assert _says(lines, words, named)


def test_a_catalog_in_another_shape_names_every_column(dbt: Refusing) -> None:
    """A required column gone, an optional one gone, a time kept as text, a decimal with more digits."""
    path = dbt.folder / "odd.duckdb"
    with duckdb.connect(str(path)) as connection:
        columns = {column.name: column.type for column in contract()["events"].columns}
        del columns["event_id"], columns["country"]
        columns |= {"event_time": "varchar", "revenue_usd": "decimal(18,8)", "user_id": "bigint"}
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table events ({listed})")
    lines = dbt.refuses(*MAPPING, **_catalog_environment(path))
    [line] = {line for line in lines if "required column event_id is missing" in line}
    assert "optional column country is missing" in line
    assert "column event_time is varchar, the contract needs timestamp" in line
    assert "column revenue_usd is decimal(18,8), the contract needs decimal(18,6)" in line
    assert "map_catalog__events.sql" in line
    # Whole numbers become text without loss: nothing to complain about.
    assert "user_id" not in line


def test_what_a_mapping_says_it_makes_itself_is_not_looked_for(dbt: Refusing) -> None:
    """The remedy that the error names works, also where no hook attached the catalog before."""
    path = dbt.folder / "mapped.duckdb"
    with duckdb.connect(str(path)) as connection:
        columns = {column.name: column.type for column in contract()["events"].columns}
        del columns["country"]
        columns["event_time"] = "varchar"
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table events ({listed})")
        connection.execute("insert into events (event_time) values ('2026-01-05 10:00:00')")
    mapping = (
        "select cast(event_time as timestamp) as event_time, cast(null as string) as country "
        "from {{ catalog_table('events', mapped=['event_time', 'country']) }}"
    )
    shown = dbt.run(
        ["show", "--inline", mapping, "--output", "json"], env=_catalog_environment(path)
    )
    assert shown.returncode == 0, shown.stdout[-3000:]
    assert "2026-01-05T10:00:00" in shown.stdout


def test_a_table_the_catalog_lacks_is_named(dbt: Refusing) -> None:
    path = dbt.folder / "empty.duckdb"
    duckdb.connect(str(path)).close()
    lines = dbt.refuses(*MAPPING, **_catalog_environment(path))
    assert _says(lines, "catalog_tables names events, but there is no table")
