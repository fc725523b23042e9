"""The generator keeps the contract, repeats itself byte for byte, and counts what it wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from plumbline.contract.model import contract, table
from plumbline.errors import PlumblineError
from plumbline.project import project_root
from plumbline.simulate import Settings, Truth, simulate, users_for
from plumbline.simulate.arrays import decimals, geometric, hash_uniform, ranges, text_ids
from plumbline.simulate.command import command
from plumbline.simulate.sample import SAMPLE, write_sample

SMALL = Settings(users=150, days=30, bots=30, workflows=5, creators=8)
DIRTY = Settings(users=620, days=60, seed=3, bots=60, workflows=8, creators=20, dirty=2.0)
# The invented company runs its own experiments and counts none elsewhere.
INVENTED = [name for name in contract() if name != "experiment_counts"]
CLEAN = Settings(users=300, days=40, seed=4, bots=40, workflows=6, creators=12, dirty=0)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    out = tmp_path_factory.mktemp("dirty")
    return out, simulate(DIRTY, out)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    out = tmp_path_factory.mktemp("clean")
    return out, simulate(CLEAN, out)


@pytest.fixture
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def files(out: Path, name: str) -> str:
    return str(out / name / "*.parquet")


def value(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    found = connection.sql(query).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("name", INVENTED)
def test_every_file_has_the_contracted_schema(dirty: tuple[Path, Truth], name: str) -> None:
    paths = sorted((dirty[0] / name).glob("*.parquet"))
    assert paths[0].name == "0-contract.parquet"
    assert len(paths) > 1
    for path in paths:
        assert pq.read_schema(path).equals(table(name).schema), path.name


@pytest.mark.parametrize("name", list(contract()))
def test_files_are_named_by_the_day_their_rows_landed(
    dirty: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection, name: str
) -> None:
    rows = sql.sql(
        f"select filename[-18:-9], min(ingested_at)::date, max(ingested_at)::date "
        f"from read_parquet('{files(dirty[0], name)}', filename = true) group by all"
    ).fetchall()
    for day, first, last in rows:
        if name in ("creator_daily", "creators"):
            assert first >= date.fromisoformat(day)
        else:
            assert first == last == date.fromisoformat(day)


def test_same_seed_same_bytes_and_other_seed_other_bytes(tmp_path: Path) -> None:
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(replace(SMALL, seed=seed), tmp_path / place)
    first, again, other = (digests(tmp_path / place) for place in "abc")
    assert first == again
    changed = [name for name in first if first[name] != other.get(name)]
    assert "truth.json" in changed
    assert {name.split("/")[0] for name in changed} >= set(INVENTED) - {"experiments"}


def test_blocks_bound_memory_without_losing_events(
    tmp_path: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    blocks = replace(SMALL, users=3000, days=14, block_user_days=100)
    truth = simulate(blocks, tmp_path)
    rows = value(sql, f"select count(*) from '{files(tmp_path, 'events')}'")
    distinct = value(
        sql,
        f"select count(distinct event_id) from '{files(tmp_path, 'events')}' "
        "where length(event_id) = 7",
    )
    assert rows == truth.expected["tables"]["events"]["landed"]
    assert distinct == truth.expected["tables"]["events"]["accepted"]


@pytest.mark.parametrize("name", list(contract()))
def test_clean_rows_break_no_rule_of_the_contract(
    clean: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection, name: str
) -> None:
    definition = table(name)
    sql.execute(f"create view t as select * from '{files(clean[0], name)}'")
    rules = [
        f"not ({' or '.join(f'{column} is not null' for column in definition.one_of)})"
    ] if definition.one_of else []  # fmt: skip
    for column in definition.columns:
        c = column.name
        if column.required:
            rules.append(f"{c} is null or trim({c}::varchar) = ''")
        allowed = column.values or column.known
        if allowed:
            listed = ", ".join(f"'{one}'" for one in allowed)
            rules.append(f"{c} not in ({listed})")
        excused = f" and not ({column.unless})" if column.unless else ""
        if column.min is not None:
            rules.append(f"{c} < {column.min}{excused}")
        if column.max is not None:
            rules.append(f"{c} > {column.max}{excused}")
        if column.then_max is not None:
            rules.append(f"{column.unless} and {c} > {column.then_max}")
        if column.at_least:
            rules.append(f"{c} < {column.at_least}")
        if column.at_most:
            rules.append(f"{c} > {column.at_most}")
        if column.observed:
            rules.append(f"{c} > ingested_at + interval 1 day or {c} < timestamp '1990-01-01'")
        if column.type == "string":
            rules.append(f"length({c}) > {column.length_limit}")
    broken = {rule: value(sql, f"select count(*) from t where {rule}") for rule in rules}
    assert {rule: count for rule, count in broken.items() if count} == {}
    truth = clean[1].expected["tables"][name]
    keys = value(sql, f"select count(*) from (select distinct {', '.join(definition.key)} from t)")
    rows = value(sql, "select count(*) from t")
    assert rows == truth["landed"] == truth["accepted"] + truth["superseded"]
    assert keys == truth["accepted"]
    assert truth["quarantined"] == sum(truth["copies"].values()) == 0


def test_every_listed_value_occurs(
    dirty: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection
) -> None:
    for name, column in (
        ("events", "event_name"), ("events", "feature"), ("events", "method"),
        ("orders", "kind"), ("users", "role"),
        ("llm_ratings", "rater_kind"), ("llm_comparisons", "winner"), ("experiments", "status"),
        ("experiments", "unit_type"),
    ):  # fmt: skip
        definition = table(name).by_name[column]
        rows = sql.sql(f"select distinct {column} from '{files(dirty[0], name)}'").fetchall()
        assert set(definition.values or definition.known) <= {row[0] for row in rows}, column


def test_each_landed_row_is_accounted_for(
    dirty: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection
) -> None:
    out, truth = dirty
    for name, told in truth.expected["tables"].items():
        assert told["landed"] == value(sql, f"select count(*) from '{files(out, name)}'"), name
        assert told["landed"] == told["accepted"] + told["duplicates"] + told["quarantined"]
        assert told["quarantined"] == sum(told["quarantined_by_reason"].values())


@pytest.mark.parametrize(
    ("name", "reason", "rule"),
    [
        ("events", "missing:event_id", "event_id is null"),
        ("events", "missing:user_id", "user_id is null and anonymous_id is null"),
        ("events", "missing:event_name", "event_name = ''"),
        ("events", "out_of_range:engaged_seconds", "engaged_seconds < 0"),
        ("events", "out_of_range:revenue_usd", "revenue_usd < 0"),
        (
            "events",
            "out_of_range:event_time",
            "event_time > ingested_at + interval 1 day or event_time < timestamp '1990-01-01'",
        ),
        ("experiment_exposures", "no_phase", "experiment_id = 'x99'"),
        ("llm_ratings", "out_of_range:score", "score not between 1 and 5"),
        ("llm_responses", "out_of_range:latency_ms", "latency_ms < 0"),
        ("creator_daily", "out_of_range:spend_usd", "spend_usd < 0"),
        ("creator_assessments", "out_of_range:score", "score > 1"),
    ],
)
def test_wrong_rows_are_counted_by_reason(
    dirty: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection, name: str, reason: str, rule: str
) -> None:
    told = dirty[1].expected["tables"][name]["quarantined_by_reason"].get(reason, 0)
    assert value(sql, f"select count(*) from '{files(dirty[0], name)}' where {rule}") == told


def test_data_ends_at_noon_of_the_last_day(
    dirty: tuple[Path, Truth], sql: duckdb.DuckDBPyConnection
) -> None:
    last = sql.sql(
        f"select max(event_time) from '{files(dirty[0], 'events')}' "
        "where event_time <= ingested_at and length(event_id) = 7"
    ).fetchone()
    assert last is not None
    assert last[0].date() == DIRTY.date_of(DIRTY.days - 1)
    assert last[0].hour < 13
    assert dirty[1].expected["as_of"] == DIRTY.date_of(DIRTY.days - 2).isoformat()


def test_full_catalogue_of_bots_and_workflows(
    tmp_path: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    wide = Settings(users=300, days=14, bots=5000, workflows=2000, dirty=0, tables=("bots",))
    simulate(wide, tmp_path)
    rows = sql.sql(
        f"select count(distinct bot_id), count(distinct workflow), "
        f"count(distinct bot_id || workflow) from '{files(tmp_path, 'bots')}'"
    ).fetchone()
    assert rows is not None
    assert rows[1] == 2000
    assert rows[0] == rows[2]
    # Bots that would be created after the end do not exist yet.
    assert 4500 < rows[0] <= 5000


@pytest.mark.parametrize("fmt", ["csv", "ndjson"])
def test_inbox_files_hold_the_same_rows_as_the_lake(
    tmp_path: Path, sql: duckdb.DuckDBPyConnection, fmt: str
) -> None:
    simulate(SMALL, tmp_path / "lake")
    simulate(replace(SMALL, format=fmt), tmp_path / "inbox")
    schema = table("events").schema
    types = {
        "string": "varchar", "timestamp": "timestamp", "bigint": "bigint", "boolean": "boolean"
    }  # fmt: skip
    columns = ", ".join(
        f"'{c.name}': '{types.get(c.type, c.type)}'" for c in table("events").columns
    )
    read = "read_csv" if fmt == "csv" else "read_ndjson"
    extra = ", header = true, quote = '\"', escape = '\"'" if fmt == "csv" else ""
    source = f"{read}('{tmp_path}/inbox/events/*.{fmt}', columns = {{{columns}}}{extra})"
    names = ", ".join(f"nullif({name}, '') as {name}" if pa.types.is_string(kind) else name
                      for name, kind in zip(schema.names, schema.types, strict=True))  # fmt: skip
    lake = f"select {names} from '{files(tmp_path / 'lake', 'events')}'"
    inbox = f"select {names} from {source}"
    assert value(sql, f"select count(*) from ({lake} except all {inbox})") == 0
    assert value(sql, f"select count(*) from ({inbox} except all {lake})") == 0


def test_events_option_comes_close() -> None:
    assert users_for(DIRTY, 100_000) == pytest.approx(100_000 / 85, rel=0.25)


def test_a_folder_with_rows_is_refused(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path)
    with pytest.raises(PlumblineError, match="already holds files"):
        simulate(SMALL, tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"users": 1}, {"days": 3}, {"bots": 2}, {"workflows": 999}, {"dirty": -1.0}]
)
def test_impossible_sizes_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PlumblineError, match=next(iter(wrong))):
        replace(SMALL, **wrong)  # type: ignore[arg-type]


def test_command_writes_and_summarises(tmp_path: Path) -> None:
    out = str(tmp_path / "lake")
    done = CliRunner().invoke(command, ["--users", "60", "--days", "14", "--out", out])
    assert done.exit_code == 0, done.output
    assert "as of 2026-01-13" in done.output
    assert Truth.load(tmp_path / "lake" / "truth.json").settings["users"] == 60
    without = CliRunner().invoke(command, [])
    assert isinstance(without.exception, PlumblineError)


def test_shipped_sample_is_what_the_generator_writes(tmp_path: Path) -> None:
    write_sample(tmp_path / "seeds", tmp_path / "truth.json")
    shipped = project_root() / "seeds" / "raw"
    for name in contract():
        fresh = (tmp_path / "seeds" / f"raw_{name}.csv").read_bytes()
        assert fresh == (shipped / f"raw_{name}.csv").read_bytes(), f"raw_{name}: run make sample"
    told = project_root() / "tests" / "fixtures" / "sample_truth.json"
    assert (tmp_path / "truth.json").read_bytes() == told.read_bytes()


def test_shipped_sample_is_small_and_shows_everything() -> None:
    shipped = project_root() / "seeds" / "raw"
    sizes = {path.name: path.stat().st_size for path in shipped.glob("*.csv")}
    assert sum(sizes.values()) < 12_000_000
    assert max(sizes.values()) < 4_000_000
    truth = Truth.load(project_root() / "tests" / "fixtures" / "sample_truth.json")
    assert truth.settings["days"] == SAMPLE.days
    for name, told in truth.expected["tables"].items():
        for reason, count in told["quarantined_by_reason"].items():
            assert count < 10 or count / told["landed"] < 0.001, (name, reason)
    assert all(truth.expected["billing"]["events"].values())
    assert all(truth.expected["events"]["by_name"].values())


def test_ids_are_short_unique_and_null_below_zero() -> None:
    numbers = np.array([0, 35, 36, 46_655, 46_656, 36**4, 36**6 - 1, -1])
    expected = ["e000000", "e00000z", "e000010", "e000zzz", "e001000", "e010000", "ezzzzzz", None]
    assert text_ids("e", numbers).to_pylist() == expected
    assert text_ids("e", np.array([], dtype=np.int64)).to_pylist() == []


def test_decimals_keep_sign_and_scale() -> None:
    built = decimals(np.array([1_500_000, -1, 0]), 18, 6, np.array([True, True, False]))
    assert built.to_pylist() == [Decimal("1.500000"), Decimal("-0.000001"), None]
    built.validate(full=True)


def test_hash_is_uniform_and_depends_on_every_part() -> None:
    luck = hash_uniform(7, 3, np.arange(100_000))
    assert np.histogram(luck, 10, (0, 1))[0].std() < 4 * (100_000 * 0.1 * 0.9) ** 0.5
    assert abs(np.corrcoef(luck, hash_uniform(7, 4, np.arange(100_000)))[0, 1]) < 0.02
    assert (luck == hash_uniform(7, 3, np.arange(100_000))).all()


def test_ranges_and_geometric() -> None:
    assert ranges(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    draws = geometric(np.random.default_rng(1), 4.0, 200_000)
    assert draws.min() == 1
    assert draws.mean() == pytest.approx(4.0, abs=0.05)
