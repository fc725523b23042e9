"""The same facts give the same marts, to the last bit: in whatever order, how often, in which files and
formats they came, and on however many threads they were counted. And what must not matter, does not.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import ROOT, dbt_runner
from plumbline.contract import contract, table
from plumbline.landing import land
from plumbline.landing.pseudonym import SALT_VARIABLE
from plumbline.simulate import Settings, simulate
from plumbline.simulate.truth import Truth
from plumbline.simulate.writer import copy_text
from recounted import Event, Recount, bot_days
from recovered import BOT_COLUMNS
from warehouse import MARTS, REMEMBERED, Warehouse

SETTINGS = Settings(users=260, days=40, seed=7, bots=20, workflows=4, creators=8, dirty=4.0)
FORMATS = ("ndjson", "csv", "parquet")
# Which load a row came with is the one thing a mart may tell about the way the rows came.
ABOUT_LOADS = {"core.fct_loads"}
# A model is put to the test on the last 56 days; the product of these tests is 40 days old.
TOO_YOUNG = {
    "subscription.agg_order_holdouts",
    "subscription.agg_renewal_holdouts",
    "subscription.agg_lifetime_value_holdouts",
    # So are models of churn, on 28 days after 28 others.
    "retention.agg_churn_calibrations",
    "retention.agg_churn_importances",
}
# Eight creators report nothing impossible, strata have too few units to be ordered, models too few answers a
# day to alarm.
TOO_SMALL = {
    "creators.fct_creator_rejections",
    "experimentation.agg_uplift_steps",
    "llm_quality.fct_quality_alerts",
}


class Input(NamedTuple):
    """A dirty inbox, the rows in it, the truth of the generated ones, and the crowd beside them."""

    inbox: Path
    rows: dict[str, pa.Table]
    truth: Truth
    crowd: list[Event]


def _crowd(dice: random.Random) -> list[Event]:
    """A few people and bots on a coarse clock around midnight: everything that can fall together does.

    Cards and views at one instant, exactly thirty minutes apart, over midnight; chats before the view.
    """
    midnight = datetime.combine(SETTINGS.start + timedelta(days=20), time())
    slots = [midnight + timedelta(minutes=10 * place) for place in range(-9, 10)]
    events = [
        Event(
            dice.choice(slots) + timedelta(milliseconds=dice.choice([0, 0, 0, 1])),
            dice.choice(["bot_impression", "bot_impression", "bot_view", "message_sent"]),
            f"crowd{dice.randrange(30)}", f"crowdbot{dice.randrange(3)}", "generate",
        )
        for _ in range(1500)
    ]  # fmt: skip
    return sorted(events, key=lambda event: (event.at, event.name))


@pytest.fixture(scope="module", autouse=True)
def salt() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SALT_VARIABLE, "a salt for tests")
        yield


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Input:
    folder = tmp_path_factory.mktemp("given")
    truth = simulate(SETTINGS, folder / "typed")
    rows = {
        name: pq.read_table(folder / "typed" / name).cast(table(name).schema) for name in contract()
    }
    for name, every in rows.items():
        assert every.num_rows == truth.expected["tables"][name]["landed"]
        (folder / "inbox" / name).mkdir(parents=True)
        if every.num_rows:
            copy_text(every, folder / "inbox" / name / "all.ndjson", name, "ndjson")
    told = truth.expected["tables"]["events"]
    assert told["landed"] > 15_000
    assert told["duplicates"] > 100
    assert told["quarantined"] > 10
    crowd = _crowd(random.Random(3))
    rows["events"] = pa.concat_tables([rows["events"], _as_rows(crowd)])
    copy_text(rows["events"], folder / "inbox" / "events" / "all.ndjson", "events", "ndjson")
    return Input(folder / "inbox", rows, truth, crowd)


def _as_rows(crowd: list[Event]) -> pa.Table:
    schema = table("events").schema
    told = [
        {
            "event_id": f"crowd-event{number}", "event_time": event.at, "user_id": event.person,
            "event_name": event.name, "bot_id": event.bot, "method": event.method,
            "ingested_at": event.at + timedelta(seconds=5),
        }
        for number, event in enumerate(crowd)
    ]  # fmt: skip
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in schema.names} for row in told], schema
    )


def _profile(folder: Path, duckdb_threads: int) -> Path:
    """The project's own profile with another number of DuckDB threads."""
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text(encoding="utf-8"))
    profile["plumbline"]["outputs"]["duckdb"]["settings"]["threads"] = duckdb_threads
    folder.mkdir(parents=True)
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    return folder


def _build(folder: Path, threads: int, *select: str) -> Warehouse:
    """Build of ``folder/lake`` on so many threads of dbt and twice as many of DuckDB, less one."""
    environment = {
        "PLUMBLINE_THREADS": str(threads),
        "DBT_PROFILES_DIR": str(_profile(folder / "profile", 2 * threads - 1)),
    }
    run = dbt_runner(folder)

    def run_with_threads(arguments: list[str], env: dict[str, str]) -> Any:
        return run(arguments, env={**env, **environment})

    warehouse = Warehouse(folder, run_with_threads, folder / "lake")
    warehouse.models(*select)
    return warehouse


def _marts(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    found = warehouse.hashes(MARTS)
    return {name: digest for name, digest in found.items() if name not in ABOUT_LOADS}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, given: Input) -> Warehouse:
    """The inbox as it came, on two threads of dbt and three of DuckDB."""
    folder = tmp_path_factory.mktemp("base")
    land(given.inbox, folder / "lake").raise_for_failures()
    return _build(folder, threads=2)


@pytest.fixture(scope="module")
def marts(base: Warehouse) -> dict[str, tuple[int, str]]:
    """Hashes of the marts of the first build, taken before any test builds again."""
    found = _marts(base)
    assert len(found) > 5
    assert {name for name, (rows, _) in found.items() if rows == 0} == TOO_YOUNG | TOO_SMALL
    return found


def _scattered(given: Input, inbox: Path, dice: random.Random) -> int:
    """Write every row one to three times, in another order, over other files in all formats."""
    files = 0
    for name, rows in given.rows.items():
        order = [place for place in range(rows.num_rows) for _ in range(dice.randint(1, 3))]
        dice.shuffle(order)
        parts = 40 if name == "events" else 3
        for part in range(parts):
            piece = rows.take(pa.array(order[part::parts], pa.int64()))
            if piece.num_rows == 0:
                continue
            kind = FORMATS[part % len(FORMATS)]
            path = inbox / name / f"{dice.randrange(10**9):09d}-{part}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "parquet":
                pq.write_table(piece, path)
            else:
                copy_text(piece, path, name, kind)
            files += 1
    return files


def test_order_copies_files_formats_and_threads_do_not_matter(
    tmp_path: Path, given: Input, base: Warehouse, marts: dict[str, tuple[int, str]]
) -> None:
    files = _scattered(given, tmp_path / "inbox", random.Random(11))
    land(tmp_path / "inbox", tmp_path / "lake").raise_for_failures()
    other = _build(tmp_path, threads=1)
    assert _marts(other) == marts
    # It really came another way: more files, twice the rows, all formats, the same accepted rows.
    loads = "select count(*), sum(line_count), sum(accepted_count) from core.fct_loads where line_count > 0"
    (first_files, first_lines, accepted), (loaded, lines, still) = (
        base.query(loads)[0],
        other.query(loads)[0],
    )
    assert loaded == files != first_files
    assert lines > 1.8 * first_lines
    assert still == accepted


def test_the_crowd_is_counted_by_the_definitions(given: Input, base: Warehouse) -> None:
    """Attribution and chat start at their edges, against plain loops."""
    told = bot_days(Recount(given.crowd, set(), set(), SETTINGS.as_of))
    found = base.query(
        f"select bot_id, activity_date, {', '.join(BOT_COLUMNS.values())} "
        "from engagement.agg_bot_engagement__daily where bot_id like 'crowdbot%' order by all"
    )
    assert found == told
    assert len(told) == 6
    clicks, unattributed, viewers, starters = (
        sum(row[place] for row in told) for place in (3, 4, 5, 6)
    )
    assert min(clicks, unattributed) > 50
    assert 20 < starters < viewers


def _relations(warehouse: Warehouse) -> list[str]:
    rows = warehouse.query(
        "select table_schema || '.' || table_name from information_schema.tables order by 1"
    )
    return [name for (name,) in rows]


EVERYTHING = ("raw", "reference", "staging", "intermediate", *MARTS)


def test_nothing_new_changes_nothing(base: Warehouse, marts: dict[str, tuple[int, str]]) -> None:
    stored, relations = base.hashes(EVERYTHING), _relations(base)
    assert land(None, base.lake).files == []
    # All else is made anew of it, to the same bits as the test above shows.
    base.models(*REMEMBERED)
    assert base.hashes(EVERYTHING) == stored
    assert _marts(base) == marts
    assert _relations(base) == relations
    assert not [name for name in relations if "__dbt_" in name]


def test_a_day_in_the_future_changes_nothing(
    tmp_path: Path, given: Input, base: Warehouse, marts: dict[str, tuple[int, str]]
) -> None:
    """A broken clock: a whole day of good-looking events, a month after they landed."""
    day = given.rows["events"]
    day = day.filter(pc.greater(pc.utf8_length(day.column("event_id")), 0)).slice(0, 500)
    ahead = [moment + timedelta(days=30) for moment in day.column("ingested_at").to_pylist()]
    names = [f"ahead{number}" for number in range(len(ahead))]
    # Nobody and nothing that only such rows speak of may appear: they have ids of their own.
    for column, values in (
        ("event_id", names), ("event_time", ahead), ("user_id", names), ("bot_id", names),
        ("anonymous_id", [None] * len(ahead)), ("event_name", ["message_sent"] * len(ahead)),
    ):  # fmt: skip
        place = day.schema.get_field_index(column)
        day = day.set_column(
            place, day.schema.field(column), pa.array(values, day.schema.field(column).type)
        )
    (tmp_path / "inbox" / "events").mkdir(parents=True)
    pq.write_table(day, tmp_path / "inbox" / "events" / "ahead.parquet")
    # Another folder: the tests of this file may come in any order.
    folder = tmp_path / "copy"
    shutil.copytree(base.lake, folder / "lake")
    shutil.copyfile(base.database, folder / base.database.name)
    land(tmp_path / "inbox", folder / "lake").raise_for_failures()
    accepted = "select count(*), sum(hash(e)) from staging.stg_product__events as e"
    as_of = "select * from intermediate.int_as_of"
    told = (base.query(accepted), base.query(as_of))
    later = _build(folder, 2, *REMEMBERED, *DAILY_MODELS)
    # Accepted rows and the last complete day are all that models know of events.
    assert (later.query(accepted), later.query(as_of)) == told
    assert _marts(later) == marts
    reason = later.query(
        "select sum(row_count) from intermediate.int_landed_rows_counted where table_name = 'events' "
        "and quarantine_reason = 'out_of_range:event_time'"
    )
    planted = given.truth.expected["tables"]["events"]["quarantined_by_reason"]
    assert reason[0][0] == planted["out_of_range:event_time"] + len(ahead)


DAILY = ("engagement.agg_bot_engagement__daily", "engagement.agg_bot_views__daily_source",
         "engagement.agg_user_engagement__daily", "growth.agg_active_users__daily")  # fmt: skip
DAILY_MODELS = tuple(f"+{name.split('.')[1]}" for name in DAILY)


# ---------------------------------------------------------------- twice the users
OWN = {
    "events": ("event_id", "user_id", "anonymous_id", "session_id", "conversation_id"),
    "users": ("user_id",),
    "identity_links": ("user_id", "anonymous_id"),
}


def _grows(column: str) -> bool:
    return column.endswith(("_count", "_users")) or column == "session_seconds"


def _is_percentile(column: str) -> bool:
    # Interpolated between neighbours, which are other ones in a longer list.
    return column.endswith(("_p50", "_p90"))


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory, given: Input) -> Warehouse:
    """Everybody has a twin who does the same at the same time."""
    folder = tmp_path_factory.mktemp("doubled")
    for name, ids in OWN.items():
        rows = given.rows[name]
        for column in ids:
            # A blank or missing id stays what it is.
            twin = pc.binary_join_element_wise("twin-", rows.column(column), "")
            held = pc.greater(pc.utf8_length(rows.column(column)), 0)
            twin = pc.if_else(pc.fill_null(held, False), twin, rows.column(column))
            rows = rows.set_column(rows.schema.get_field_index(column), column, twin)
        (folder / "twins" / name).mkdir(parents=True)
        pq.write_table(rows.cast(table(name).schema), folder / "twins" / name / "twins.parquet")
    land(given.inbox, folder / "lake").raise_for_failures()
    land(folder / "twins", folder / "lake").raise_for_failures()
    return _build(folder, 2, "+fct_user_days", *DAILY_MODELS)


@pytest.mark.parametrize("name", DAILY)
def test_twice_the_users_double_counts_and_keep_rates(
    base: Warehouse, doubled: Warehouse, name: str
) -> None:
    described = [column for column, *_ in base.query(f"describe {name}")]
    columns = [column for column in described if not _is_percentile(column)]
    assert any(map(_grows, columns))
    factors = [2 if _grows(column) else 1 for column in columns]
    told = [
        tuple(2 * value if factor == 2 and value is not None else value
              for factor, value in zip(factors, row, strict=True))
        for row in base.contents(name, columns)
    ]  # fmt: skip
    assert sorted(doubled.contents(name, columns), key=repr) == sorted(told, key=repr)


def test_twins_have_user_days_of_their_own(
    given: Input, base: Warehouse, doubled: Warehouse
) -> None:
    columns = "activity_date, event_count, message_count, engaged_ms, ad_revenue_usd"
    sql = f"select {columns} from growth.fct_user_days {{where}} order by all"
    once = base.query(sql.format(where=""))
    assert once
    assert doubled.query(sql.format(where="where person_id like 'twin-%'")) == once
    assert doubled.query(sql.format(where="where person_id not like 'twin-%'")) == once
    crowd = {(event.person, event.day) for event in given.crowd if event.name == "message_sent"}
    assert len(once) == given.truth.expected["user_days"] + len(crowd)
