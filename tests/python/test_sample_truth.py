"""The shipped sample through the whole warehouse: the marts are what was planted, and what a reader of
the raw CSV files would count by hand.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import ROOT
from plumbline.simulate.truth import Truth
from recounted import Event, Recount, bot_days, reach
from recovered import BOT_COLUMNS, EXACT
from warehouse import Warehouse
from worlds import World

SAMPLE = ROOT / "seeds" / "raw"


@pytest.fixture(scope="module")
def truth(sample: World) -> Truth:
    return sample.truth


@pytest.fixture(scope="module")
def warehouse(sample: World) -> Warehouse:
    return sample.warehouse


@pytest.mark.parametrize("name", EXACT)
def test_marts_equal_the_truth(warehouse: Warehouse, truth: Truth, name: str) -> None:
    found, told = EXACT[name](warehouse, truth)
    assert told
    assert found == told


# ---------------------------------------------------------------- a second opinion, without SQL
def _lines(table: str) -> list[dict[str, str]]:
    with (SAMPLE / f"raw_{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _plausible(row: dict[str, str], time: str, *required: str) -> bool:
    if not all(row[name].strip() for name in (*required, time)):
        return False
    latest = _moment(row["ingested_at"]) + timedelta(days=1)
    return datetime(1990, 1, 1) <= _moment(row[time]) <= latest


def _good_event(row: dict[str, str]) -> bool:
    return (
        _plausible(row, "event_time", "event_id", "event_name")
        and bool((row["user_id"] + row["anonymous_id"]).strip())
        and 0 <= Decimal(row["engaged_seconds"] or 0) <= 86_400
        and Decimal(row["revenue_usd"] or 0) >= 0
    )


@pytest.fixture(scope="module")
def recount() -> Recount:
    owner: dict[str, tuple[datetime, str]] = {}
    for row in _lines("identity_links"):
        if _plausible(row, "linked_at", "anonymous_id", "user_id"):
            link = (_moment(row["linked_at"]), row["user_id"])
            owner[row["anonymous_id"]] = min(link, owner.get(row["anonymous_id"], link))
    latest: dict[str, tuple[datetime, bool]] = {}
    for row in _lines("users"):
        known_role = row["role"] in ("student", "teacher", "consumer")
        if known_role and _plausible(row, "updated_at", "user_id", "signed_up_at", "is_internal"):
            version = (_moment(row["updated_at"]), row["is_internal"].lower() == "true")
            latest[row["user_id"]] = max(version, latest.get(row["user_id"], version))
    # Of the copies of an event the earliest counts; the sample's copies agree in everything else.
    winners: dict[str, dict[str, str]] = {}
    for row in filter(_good_event, _lines("events")):
        held = winners.setdefault(row["event_id"], row)
        if _moment(row["event_time"]) < _moment(held["event_time"]):
            winners[row["event_id"]] = row
    events = []
    for row in winners.values():
        person = row["user_id"] or owner.get(row["anonymous_id"], (None, row["anonymous_id"]))[1]
        events.append(
            Event(
                _moment(row["event_time"]), row["event_name"], person, row["bot_id"], row["method"]
            )
        )
    events.sort(key=lambda event: (event.at, event.name))
    daily = Counter((event.person, event.day) for event in events)
    minutely = Counter(
        (event.person, event.at.replace(second=0, microsecond=0))
        for event in events
        if event.name == "message_sent"
    )
    automated = {user_day for user_day, count in daily.items() if count > 2000}
    automated |= {
        (person, minute.date()) for (person, minute), count in minutely.items() if count > 20
    }
    internal = {user for user, (_, is_internal) in latest.items() if is_internal}
    # The day before the last day of any stream of accepted rows; the events are the longest one here.
    as_of = max(event.day for event in events) - timedelta(days=1)
    return Recount(events, automated, internal, as_of)


def test_recount_sees_the_dirt(recount: Recount, truth: Truth) -> None:
    """The second opinion is worth something only if it met machines, staff, copies and wrong rows."""
    assert recount.as_of.isoformat() == truth.expected["as_of"]
    assert recount.automated
    assert recount.internal
    told = truth.expected["tables"]["events"]
    assert len(recount.events) == told["accepted"] < told["landed"]
    assert told["quarantined"] > 0


def test_daily_weekly_monthly_actives_by_sets(warehouse: Warehouse, recount: Recount) -> None:
    active = defaultdict(set)
    for event in recount.people():
        if event.name in ("message_sent", "feature_used"):
            active[event.day].add(event.person)
    # The calendar begins with the first event, active or not.
    active.setdefault(min(event.day for event in recount.events), set())
    told = reach(active, recount.as_of)
    found = warehouse.contents(
        "growth.agg_active_users__daily",
        ["activity_date", "daily_active_users", "weekly_active_users", "monthly_active_users"],
    )
    assert found == told


def test_bot_days_by_loops(warehouse: Warehouse, recount: Recount) -> None:
    """Every bot and day: attribution, viewers and chat starts, counted one event at a time."""
    told = bot_days(recount)
    found = warehouse.contents(
        "engagement.agg_bot_engagement__daily", ["bot_id", "activity_date", *BOT_COLUMNS.values()]
    )
    assert found == told
    # A chat is no click and a view no chat: the sample holds both, so the rules are tried.
    clicks, unattributed, viewers, starters = (
        sum(row[place] for row in told) for place in (3, 4, 5, 6)
    )
    assert clicks > 0 < unattributed
    assert 0 < starters < viewers


def test_sample_is_read_whole(warehouse: Warehouse) -> None:
    """Every line of every file of the sample is in the reconciliation."""
    lines = {path.stem.removeprefix("raw_"): len(_lines(path.stem.removeprefix("raw_")))
             for path in Path(SAMPLE).glob("raw_*.csv")}  # fmt: skip
    found = dict(warehouse.query(
        "select table_name, cast(sum(line_count) as bigint) from core.fct_loads group by table_name "
        "having sum(line_count) > 0"
    ))  # fmt: skip
    # What the sample ships without a row is in no load.
    assert found == {name: count for name, count in lines.items() if count}
