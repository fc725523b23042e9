"""Small stories with known answers, from landed files to marts: what careless systems get wrong."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import dbt_runner
from plumbline.landing import land
from warehouse import MARTS, REMEMBERED, Warehouse

ARRIVED = datetime(2026, 3, 20)
# All that remembers, and the marts that the story is about.
TOLD = (
    *REMEMBERED,
    "+agg_active_users__daily",
    "+agg_bot_engagement__daily",
    "+agg_user_engagement__daily",
)
Rows = dict[str, list[dict[str, Any]]]


def _event(
    name: str, moment: str, user: str | None, bot: str | None, **more: Any
) -> dict[str, Any]:
    return {"event_name": name, "event_time": f"{moment}Z", "user_id": user, "bot_id": bot, **more}


def _messages(count: int, start: str, user: str, bot: str | None) -> list[dict[str, Any]]:
    """One message a minute."""
    first = datetime.fromisoformat(start)
    return [
        _event(
            "message_sent", (first + timedelta(minutes=n)).isoformat(), user, bot, method="generate"
        )
        for n in range(count)
    ]


def story() -> Rows:
    """All rows, by table. The 10th and 11th of March are complete, the 12th has only begun."""
    events = [
        # Long ago, so that a week and a month before the 10th are whole.
        _event("message_sent", "2026-02-01T10:00:00", "old_hand", None),
        # Two viewers, of whom one sends nine messages.
        _event("bot_view", "2026-03-10T10:00:00", "viewer_1", "bot_nine"),
        _event("bot_view", "2026-03-10T10:00:00", "viewer_2", "bot_nine"),
        *_messages(9, "2026-03-10T10:01:00", "viewer_1", "bot_nine"),
        # A bot with three tags: each of two people is shown it, clicks and writes; ten messages together.
        _event("bot_impression", "2026-03-10T12:00:00", "tagger_1", "bot_tagged"),
        _event("bot_view", "2026-03-10T12:01:00", "tagger_1", "bot_tagged"),
        *_messages(6, "2026-03-10T12:02:00", "tagger_1", "bot_tagged"),
        _event("bot_impression", "2026-03-10T12:00:00", "tagger_2", "bot_tagged"),
        _event("bot_view", "2026-03-10T12:01:00", "tagger_2", "bot_tagged"),
        *_messages(4, "2026-03-10T12:02:00", "tagger_2", "bot_tagged"),
        # It is another product the day after.
        *_messages(2, "2026-03-11T12:02:00", "tagger_1", "bot_tagged"),
        # One person, first as a device and then signed in.
        _event("bot_view", "2026-03-10T14:00:00", None, "bot_device", anonymous_id="device_1"),
        *_messages(1, "2026-03-10T14:05:00", "signed_in", "bot_device"),
        # Staff, a listed account and a machine: none of them is a customer.
        *_messages(3, "2026-03-11T10:00:00", "staff", "bot_nine"),
        *_messages(3, "2026-03-11T10:00:00", "demo-test-account", "bot_nine"),
        *[
            _event("message_sent", f"2026-03-11T15:00:{second:02d}", "machine", "bot_nine")
            for second in range(21)
        ],
        # Five people on the last complete day, one so far on the day that is still going on.
        *[_event("message_sent", "2026-03-11T09:00:00", f"daily_{n}", None) for n in range(4)],
        _event("message_sent", "2026-03-12T00:30:00", "daily_1", None),
    ]
    for number, row in enumerate(events):
        row["event_id"] = f"e{number}"
    start = "2026-01-01T00:00:00Z"
    bots = [
        {"bot_id": bot, "updated_at": start, "name": bot, "workflow": "chat"}
        for bot in ("bot_nine", "bot_tagged", "bot_device")
    ]
    bots.append({**bots[1], "updated_at": "2026-03-11T08:00:00Z", "workflow": "roleplay"})
    for row in bots:
        row.update(is_ai_generated=False, created_at=start)
    tags = [("math", start), ("math", "2026-03-01T00:00:00Z"), ("exam", start), ("fun", start)]
    return {
        "events": events,
        "bots": bots,
        "bot_tags": [
            {"bot_id": "bot_tagged", "tag": tag, "valid_from": begin, "valid_to": None}
            for tag, begin in tags
        ],
        "identity_links": [
            {
                "anonymous_id": "device_1",
                "user_id": "signed_in",
                "linked_at": "2026-03-10T14:04:00Z",
            }
        ],
        "users": [
            {
                "user_id": user,
                "updated_at": start,
                "signed_up_at": start,
                "role": "student",
                "is_internal": user == "staff",
            }
            for user in ("viewer_1", "staff")
        ],
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _land(inbox: Path, lake: Path) -> None:
    land(inbox, lake, ingested_at=ARRIVED).raise_for_failures()


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story") / "inbox"
    for table, rows in story().items():
        _write(folder / f"{table}.ndjson", rows)
    return folder


@pytest.fixture(scope="module")
def built(inbox: Path) -> Iterator[Warehouse]:
    folder = inbox.parent
    _land(inbox, folder / "lake")
    warehouse = Warehouse(folder, dbt_runner(folder), folder / "lake")
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    yield warehouse


def test_two_viewers_of_whom_one_sends_nine_messages_start_a_chat_at_one_half(
    built: Warehouse,
) -> None:
    assert built.query(
        "select viewer_count, chat_starter_count, chat_start_rate, message_count "
        "from engagement.agg_bot_engagement__daily "
        "where bot_id = 'bot_nine' and activity_date = date '2026-03-10'"
    ) == [(2, 1, 0.5, 9)]


def test_three_tags_multiply_neither_messages_nor_clicks(built: Warehouse) -> None:
    assert built.query(
        "select new_message_count, chatting_user_count, chat_depth_per_user_bot, "
        "impression_count, clicked_impression_count, click_through_rate "
        "from engagement.agg_bot_engagement__daily "
        "where bot_id = 'bot_tagged' and activity_date = date '2026-03-10'"
    ) == [(10, 2, 5.0, 2, 2, 1.0)]
    # Seen by tag the bot counts once under each of its three, though one of them was recorded twice.
    assert built.query(
        "select tags.tag, sum(bots.new_message_count) from engagement.agg_bot_engagement__daily as bots "
        "inner join core.dim_bot_tags as tags on bots.bot_id = tags.bot_id "
        "and bots.activity_date between tags.valid_from_date and tags.valid_to_date "
        "where bots.activity_date = date '2026-03-10' group by tags.tag order by tags.tag"
    ) == [("exam", 10), ("fun", 10), ("math", 10)]


def test_a_bot_that_changed_keeps_its_history(built: Warehouse) -> None:
    assert built.query(
        "select cast(activity_date as varchar), workflow from engagement.agg_bot_engagement__daily "
        "where bot_id = 'bot_tagged' order by 1"
    ) == [("2026-03-10", "chat"), ("2026-03-11", "roleplay")]


def test_the_latest_day_is_the_last_complete_one(built: Warehouse) -> None:
    assert built.query(
        "select cast(activity_date as varchar), daily_active_users "
        "from growth.agg_active_users__daily order by activity_date desc limit 1"
    ) == [("2026-03-11", 5)]
    for mart in ("growth.fct_user_days", "engagement.agg_bot_engagement__daily"):
        assert built.query(f"select cast(max(activity_date) as varchar) from {mart}") == [
            ("2026-03-11",)
        ]


def test_a_device_and_the_user_it_became_are_one_person(built: Warehouse) -> None:
    assert built.query(
        "select viewer_count, chat_starter_count, chatting_user_count "
        "from engagement.agg_bot_engagement__daily where bot_id = 'bot_device'"
    ) == [(1, 1, 1)]
    assert built.query(
        "select count(*) from core.dim_persons where person_id in ('device_1', 'signed_in')"
    ) == [(1,)]


def test_staff_listed_accounts_and_machines_are_no_customers_and_are_not_hidden(
    built: Warehouse,
) -> None:
    assert built.query(
        "select count(*) from engagement.agg_bot_engagement__daily "
        "where bot_id = 'bot_nine' and activity_date = date '2026-03-11'"
    ) == [(0,)]
    assert built.query(
        "select automated_user_day_count, automated_user_day_rate from growth.agg_active_users__daily "
        "where activity_date = date '2026-03-11'"
    ) == [(1, pytest.approx(1 / 6, abs=1e-15))]
    assert built.query(
        "select person_id, exclusion_reason <> 'none' from core.dim_persons where is_excluded order by 1"
    ) == [("demo-test-account", True), ("staff", True)]


def test_windows_count_people_and_not_visits(built: Warehouse) -> None:
    # 4 on the 10th and 5 on the 11th, tagger_1 on both; who came on the 1st of February is a month gone.
    assert built.query(
        "select weekly_active_users, monthly_active_users, active_days_28d_count "
        "from growth.agg_active_users__daily where activity_date = date '2026-03-11'"
    ) == [(8, 8, 9)]


def test_a_second_run_and_a_file_sent_again_change_nothing(built: Warehouse, inbox: Path) -> None:
    schemas = (*MARTS, "intermediate", "reference")
    before = built.hashes(schemas)
    shutil.copy(inbox / "events.ndjson", inbox / "events_resent.ndjson")
    _land(inbox, built.lake)
    built.models(*TOLD)
    assert built.hashes(schemas) == before
    assert built.query(
        "select count(*) from duckdb_tables() where table_name like '%__dbt_tmp%'"
    ) == [(0,)]


def test_order_copies_and_the_cut_into_files_do_not_matter(
    built: Warehouse, tmp_path: Path
) -> None:
    rows = story()
    for table in rows:
        whole = [row for row in reversed(rows[table]) for _ in range(2)]
        for part in range(3):
            _write(tmp_path / "inbox" / table / f"part{part}.ndjson", whole[part::3])
    _land(tmp_path / "inbox", tmp_path / "lake")
    other = Warehouse(tmp_path, dbt_runner(tmp_path), tmp_path / "lake")
    other.models(*TOLD)
    here, there = built.hashes(MARTS), other.hashes(MARTS)
    assert len(there) >= len(TOLD)
    here = {name: found for name, found in here.items() if name in there}
    # How many lines each file held is what fct_loads is about; there the copies show.
    here.pop("core.fct_loads")
    there.pop("core.fct_loads")
    assert there == here
    assert other.query(
        "select sum(accepted_count), sum(duplicate_count) > 0 from core.fct_loads"
    ) == [(sum(map(len, rows.values())), True)]


# Each claim of tests/marts, and a damage that it must notice.
DAMAGE = {
    "assert_daily_actives_are_the_rows_of_the_spine": (
        "update growth.agg_active_users__daily set daily_active_users = daily_active_users + 1 "
        "where activity_date = date '2026-03-10'"
    ),
    "assert_wau_and_mau_equal_a_direct_count": (
        "update growth.agg_active_users__daily set monthly_active_users = monthly_active_users + 1 "
        "where activity_date = date '2026-03-11'"
    ),
    "assert_every_active_day_of_people_is_published": (
        "delete from growth.fct_user_days where person_id = 'viewer_1'"
    ),
    "assert_people_lie_between_the_largest_bot_and_the_sum_over_bots": (
        "update engagement.agg_user_engagement__daily set viewer_count = 0"
    ),
    "assert_bot_marts_reconcile_to_staging": (
        "update engagement.agg_bot_engagement__daily set message_count = message_count + 1 "
        "where bot_id = 'bot_nine'"
    ),
    "assert_views_by_source_add_up_to_the_views_of_the_bot": (
        "update engagement.agg_bot_views__daily_source set view_count = view_count + 1"
    ),
    "assert_no_mart_reaches_past_the_last_complete_day": (
        "insert into engagement.agg_user_engagement__daily (activity_date) values (date '2026-03-12')"
    ),
    "assert_no_two_ids_share_a_key": (
        "insert into staging.stg_product__event_ids (entity, entity_key, entity_id) "
        "select 'bot', entity_key, 'another bot' from staging.stg_product__event_ids "
        "where entity_id = 'bot_nine' limit 1"
    ),
    "assert_active_events_lists_the_events_of_the_contract": (
        "delete from reference.active_events where event_name = 'message_sent'"
    ),
    "assert_no_reason_takes_too_large_a_share": (
        "insert into intermediate.int_landed_rows_counted "
        "(table_name, load_key, landed_date, verdict, quarantine_reason, row_count) values "
        "('events', 1, date '2026-03-10', 'accepted', 'none', 90), "
        "('events', 1, date '2026-03-10', 'quarantined', 'missing:user_id', 10)"
    ),
    "warn_reasons_above_the_usual_share": (
        "insert into intermediate.int_landed_rows_counted "
        "(table_name, load_key, landed_date, verdict, quarantine_reason, row_count) values "
        "('events', 2, date '2026-03-09', 'accepted', 'none', 990), "
        "('events', 2, date '2026-03-09', 'quarantined', 'missing:user_id', 10)"
    ),
}


def test_every_claim_across_models_notices_its_damage(built: Warehouse, tmp_path: Path) -> None:
    database = tmp_path / built.database.name
    shutil.copy(built.database, database)
    with duckdb.connect(str(database)) as connection:
        for statement in DAMAGE.values():
            connection.execute(statement)
    damaged = Warehouse(tmp_path, dbt_runner(tmp_path), built.lake)
    output = damaged.dbt("test", "--select", *DAMAGE, check=False)
    noticed = set(re.findall(r"(?:FAIL|WARN) \d+ (\w+)", output))
    assert noticed >= set(DAMAGE), output[-4000:]
