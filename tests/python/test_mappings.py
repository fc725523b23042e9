"""The worked mappings give the contract's columns and types, and mean what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import ROOT, dbt_runner
from plumbline.contract import table

FOLDER = ROOT / "analyses" / "mappings"
# Analyses that map, by name: all but the comparison of labels.
MAPPINGS = sorted(
    path.stem for path in FOLDER.glob("*.sql") if path.stem != "education_log__outcome_labels"
)
DUCKDB_TYPES = {"string": "VARCHAR"}

Row = dict[str, Any]
Ask = Callable[..., list[Row]]
MORNING = datetime(2026, 3, 1, 8)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the analyses as dbt compiles them in a fresh clone, without any of the foreign tables."""
    folder = tmp_path_factory.mktemp("mappings")
    done = dbt_runner(folder)(["--warn-error", "compile", "--select", "path:analyses"])
    assert done.returncode == 0, done.stdout[-4000:]
    return folder / "target" / "compiled" / "plumbline" / "analyses" / "mappings"


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A database of the name dbt compiled for."""
    connection = duckdb.connect(str(tmp_path / "plumbline.duckdb"))
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _over(sql: str, sources: dict[str, list[Row]], connection: duckdb.DuckDBPyConnection) -> str:
    """The query with its placeholders replaced by tables of the given rows, as a team replaces them."""
    for name, rows in sources.items():
        found = re.search(rf"^{name} as \(\n(.*?)\n\)", sql, re.DOTALL | re.MULTILINE)
        assert found, f"no placeholder {name}"
        connection.execute(f"create or replace table given_{name} as {found[1]}")
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert into given_{name} ({', '.join(row)}) values ({marks})", list(row.values())
            )
        sql = sql[: found.start(1)] + f"    select * from given_{name}\n" + sql[found.end(1) :]
    return sql


@pytest.fixture
def ask(compiled: Path, connection: duckdb.DuckDBPyConnection) -> Ask:
    """``ask(analysis, source_rows=[...])``: what the analysis makes of these rows, in no order."""

    def run(name: str, **sources: list[Row]) -> list[Row]:
        cursor = connection.execute(
            _over((compiled / f"{name}.sql").read_text(), sources, connection)
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return run


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_gives_the_columns_and_types_of_the_contract(
    compiled: Path, connection: duckdb.DuckDBPyConnection, name: str
) -> None:
    sql = (compiled / f"{name}.sql").read_text()
    given = [(row[0], row[1]) for row in connection.execute(f"describe {sql}").fetchall()]
    wanted = [
        (column.name, DUCKDB_TYPES.get(column.type, column.type).upper())
        for column in table(name.split("__")[1]).columns
    ]
    assert given == wanted


# ---------------------------------------------------------------- education log


def _use(user: str, hours: float, **more: Any) -> Row:
    return {
        "user_id": user,
        "session_id": f"s-{user}",
        "event_time": MORNING + timedelta(hours=hours),
        "feature_used": "Generate Quiz",
        "engagement_time": 12.5,
        "is_teacher": False,
        "experiment_group": "treatment",
        **more,
    }


def test_education_rows_become_feature_events(ask: Ask) -> None:
    first, second = sorted(
        ask(
            "education_log__events",
            source_rows=[_use("u1", 0), _use("u1", 1, engagement_time=None)],
        ),
        key=lambda row: row["event_time"],
    )
    assert (first["event_name"], first["feature"]) == ("feature_used", "generate_quiz")
    assert (first["engaged_seconds"], second["engaged_seconds"]) == (Decimal("12.500"), None)
    assert first["event_id"] != second["event_id"]


def test_a_repeated_education_row_keeps_its_id_when_labels_change(ask: Ask) -> None:
    rows = ask(
        "education_log__events",
        source_rows=[
            _use("u1", 0, retained_7d=None, llm_rating=None),
            _use("u1", 0, retained_7d=True, llm_rating=5),
        ],
    )
    assert len({row["event_id"] for row in rows}) == 1


def test_a_separator_within_an_education_id_makes_no_false_twin(ask: Ask) -> None:
    rows = ask(
        "education_log__events",
        source_rows=[_use("a|=b", 0, session_id="c"), _use("a", 0, session_id="b|=c")],
    )
    assert len({row["event_id"] for row in rows}) == 2


def test_education_users_are_as_the_log_knew_them_last(ask: Ask) -> None:
    rows = ask(
        "education_log__users",
        source_rows=[
            _use("u1", 0),
            _use("u1", 5, is_teacher=True),
            _use("u2", 1),
            _use("u3", 2, is_teacher=None),
            _use("u4", 3, user_id=None),
        ],
    )
    found = {row["user_id"]: row for row in rows}
    assert {user: row["role"] for user, row in found.items()} == {
        "u1": "teacher",
        "u2": "student",
        "u3": None,
    }
    assert found["u1"]["signed_up_at"] == MORNING
    assert found["u1"]["updated_at"] == MORNING + timedelta(hours=5)


def test_education_exposures_are_first_sights_and_keep_both_groups(ask: Ask) -> None:
    rows = ask(
        "education_log__experiment_exposures",
        source_rows=[
            _use("u1", 3),
            _use("u1", 1),
            _use("u1", 9, experiment_group="control"),
            _use("u2", 0, experiment_group=" "),
        ],
    )
    seen = {(row["unit_id"], row["variation_id"]): row["exposed_at"] for row in rows}
    assert seen == {
        ("u1", "treatment"): MORNING + timedelta(hours=1),
        ("u1", "control"): MORNING + timedelta(hours=9),
    }


def test_education_ratings_are_never_rounded(ask: Ask) -> None:
    given = [_use("u1", 0, llm_rating=4.0), _use("u1", 1, llm_rating=3.5), _use("u1", 2)]
    rows = sorted(
        ask("education_log__llm_ratings", source_rows=given), key=lambda row: row["rated_at"]
    )
    assert [row["score"] for row in rows] == [4, None]
    events = {row["event_id"] for row in ask("education_log__events", source_rows=given)}
    assert {row["response_id"].removeprefix("response-") for row in rows} < events


def test_education_labels_are_compared_with_the_events(
    ask: Ask, connection: duckdb.DuckDBPyConnection
) -> None:
    """u1 came back on day 7; u2 on day 3 only; u3 only once, and the data end before its day 7."""
    start = date(2026, 3, 1)
    days = {"u1": [0, 7], "u2": [0, 3], "u3": [8]}
    for schema in ("growth", "staging", "intermediate"):
        connection.execute(f"create schema {schema}")
    connection.execute("create table growth.fct_user_days (person_id varchar, activity_date date)")
    for user, offsets in days.items():
        for offset in offsets:
            connection.execute(
                "insert into growth.fct_user_days values (?, ?)",
                [user, start + timedelta(days=offset)],
            )
    connection.execute(
        "create table intermediate.int_as_of as select date '2026-03-12' as as_of_date"
    )
    connection.execute(
        "create table staging.stg_billing__subscription_events as "
        "select 'u1' as user_id, 'started' as event_type union all select 'u2', 'payment_failed'"
    )
    rows = ask(
        "education_log__outcome_labels",
        source_rows=[
            _use("u1", 0, retained_7d=True, subscription="Free"),
            _use("u2", 0, retained_7d=True, subscription="premium"),
            _use("u2", 1, retained_7d=False, subscription="premium"),
            _use("u3", 0, retained_7d=True),
        ],
    )
    counts = {(row.pop("label"), row.pop("reading")): tuple(row.values()) for row in rows}
    # users, agreeing, label only, derived only, unlabelled, contradictory
    assert counts == {
        ("retained_7d", "active on day 7"): (2, 1, 1, 0, 0, 1),
        ("retained_7d", "active on day 7 or later"): (2, 1, 1, 0, 0, 1),
        ("retained_7d", "active on one of days 1 to 7"): (2, 2, 0, 0, 0, 1),
        ("subscription", "ever started, tried or renewed"): (3, 0, 1, 1, 1, 0),
    }


# ---------------------------------------------------------------- Segment


def test_segment_tracks_and_pages_become_events(ask: Ask) -> None:
    call: Row = {
        "received_at": MORNING,
        "event_timestamp": MORNING,
        "anonymous_id": "a1",
        "session_id": 17,
    }
    rows = ask(
        "segment__events",
        source_tracks=[
            {**call, "id": "t1", "event": "application_opened", "context_device_type": "iOS"},
            {
                **call,
                "id": "t2",
                "event": "message_sent",
                "user_id": "u1",
                "bot_id": "b1",
                "method": "edit",
            },
            {**call, "id": "t3", "event": "coupon_applied", "user_id": " ", "revenue_usd": 0.25},
        ],
        source_pages=[
            {**call, "id": "p1", "path": "/bots/b7/about", "context_page_referrer": "x/search?q=y"},
            {**call, "id": "p2", "path": "/imprint"},
        ],
    )
    found = {row["event_id"]: row for row in rows}
    assert {key: row["event_name"] for key, row in found.items()} == {
        "t1": "app_open",
        "t2": "message_sent",
        "t3": "coupon_applied",
        "p1": "bot_view",
        "p2": "page_viewed",
    }
    assert (found["t1"]["platform"], found["p1"]["platform"]) == ("ios", "web")
    assert (found["p1"]["bot_id"], found["p1"]["source"]) == ("b7", "search")
    assert found["p2"]["bot_id"] is None
    assert (found["t2"]["session_id"], found["t1"]["session_id"]) == ("u1.17", "a1.17")
    assert found["t3"]["user_id"] is None
    assert found["t3"]["revenue_usd"] == Decimal("0.250000")


def test_segment_identifies_link_ids_and_carry_traits(ask: Ask) -> None:
    def call(key: str, hours: int, **more: Any) -> Row:
        moment = MORNING + timedelta(hours=hours)
        return {
            "id": key,
            "received_at": moment,
            "event_timestamp": moment,
            "user_id": "u1",
            **more,
        }

    rows = ask(
        "segment__users",
        source_identifies=[
            call("i1", 0, role="student", country="DE", context_locale="de-DE"),
            call("i2", 1, country="FR"),
            call("i3", 2, role="teacher", is_internal=True),
            call("i4", 3, user_id=""),
        ],
    )
    versions = sorted(rows, key=lambda row: row["updated_at"])
    assert [(row["role"], row["country"], row["is_internal"]) for row in versions] == [
        ("student", "DE", False),
        ("student", "FR", False),
        ("teacher", "FR", True),
    ]
    assert versions[0]["language"] == "de"
    assert {row["signed_up_at"] for row in versions} == {MORNING}

    links = ask(
        "segment__identity_links",
        source_identifies=[
            {
                "received_at": MORNING,
                "event_timestamp": MORNING,
                "anonymous_id": "a1",
                "user_id": "u1",
            },
            {
                "received_at": MORNING,
                "event_timestamp": MORNING,
                "anonymous_id": "a2",
                "user_id": None,
            },
        ],
    )
    assert [(row["anonymous_id"], row["user_id"]) for row in links] == [("a1", "u1")]


# ---------------------------------------------------------------- PostHog


def test_posthog_events_tell_users_from_devices(ask: Ask) -> None:
    call: Row = {"event_timestamp": MORNING, "inserted_at": MORNING}
    rows = ask(
        "posthog__events",
        source_rows=[
            {
                **call,
                "uuid": "1",
                "event": "Application Opened",
                "distinct_id": "d1",
                "properties": "{}",
            },
            {
                **call,
                "uuid": "2",
                "event": "message_sent",
                "distinct_id": "u1",
                "properties": '{"$user_id": "u1", "$device_id": "d1", "$os": "iOS", "$lib": "posthog-ios", '
                '"bot_id": "b1", "engaged_seconds": "1.5", "revenue_usd": "much"}',
            },
            {
                **call,
                "uuid": "3",
                "event": "$pageview",
                "distinct_id": "u1",
                "properties": '{"$user_id": "u1", "$lib": "web", "$os": "iOS", "$geoip_country_code": "DE"}',
            },
        ],
    )
    found = {row["event_id"]: row for row in rows}
    assert [(found[k]["user_id"], found[k]["anonymous_id"]) for k in "123"] == [
        (None, "d1"),
        ("u1", "d1"),
        ("u1", None),
    ]
    assert [found[k]["event_name"] for k in "123"] == ["app_open", "message_sent", "$pageview"]
    assert [found[k]["platform"] for k in "123"] == [None, "ios", "web"]
    assert (found["2"]["engaged_seconds"], found["2"]["revenue_usd"]) == (Decimal("1.500"), None)
    assert found["3"]["country"] == "DE"


def test_posthog_persons_are_users_once_they_signed_in(ask: Ask) -> None:
    identify = {
        "event": "$identify",
        "distinct_id": "u1",
        "properties": '{"$anon_distinct_id": "d1"}',
        "event_timestamp": MORNING,
        "inserted_at": MORNING,
    }
    [link] = ask(
        "posthog__identity_links",
        source_rows=[
            identify,
            {**identify, "event": "$pageview"},
            {**identify, "properties": "{}"},
        ],
    )
    assert (link["anonymous_id"], link["user_id"]) == ("d1", "u1")

    person = {
        "properties": '{"role": "teacher", "$initial_os": "Mac OS X", "is_internal": true}',
        "created_at": MORNING,
        "inserted_at": MORNING + timedelta(hours=1),
    }
    [user] = ask(
        "posthog__users",
        source_rows=[{"event": "$identify", "distinct_id": "u1"}],
        source_persons=[{**person, "distinct_id": "u1"}, {**person, "distinct_id": "d1"}],
    )
    assert (user["user_id"], user["role"], user["platform"]) == ("u1", "teacher", "web")
    assert user["is_internal"] is True
    assert (user["signed_up_at"], user["updated_at"]) == (MORNING, MORNING + timedelta(hours=1))


# ---------------------------------------------------------------- GA4, CollegeMsg


def test_ga4_money_in_another_currency_is_not_dollars(ask: Ask) -> None:
    call: Row = {
        "event_timestamp": 1_772_352_000_000_000,
        "user_pseudo_id": "d1",
        "ga_session_id": 5,
    }
    rows = ask(
        "ga4__events",
        source_rows=[
            {
                **call,
                "event_name": "ad_impression",
                "value": 0.5,
                "currency": "USD",
                "batch_event_index": 1,
            },
            {
                **call,
                "event_name": "ad_impression",
                "value": 0.5,
                "currency": "EUR",
                "batch_event_index": 2,
            },
            {
                **call,
                "event_name": "session_start",
                "engagement_time_msec": 1234,
                "platform": "WEB",
            },
        ],
    )
    assert len({row["event_id"] for row in rows}) == 3
    assert sorted(row["revenue_usd"] for row in rows if row["revenue_usd"]) == [Decimal("0.500000")]
    [opened] = [row for row in rows if row["event_name"] == "app_open"]
    assert (opened["engaged_seconds"], opened["platform"]) == (Decimal("1.234"), "web")
    assert (opened["event_time"], opened["session_id"]) == (MORNING, "d1.5")


def test_equal_lines_of_the_message_file_are_two_messages(ask: Ask) -> None:
    line = {"sender": 1, "receiver": 2, "unix_seconds": 1_772_352_000}
    rows = ask("college_msg__events", source_rows=[{**line, "line_number": n} for n in (1, 2)])
    assert {row["event_id"] for row in rows} == {"1", "2"}
    assert {(row["user_id"], row["bot_id"], row["event_time"]) for row in rows} == {
        ("1", "2", MORNING)
    }
