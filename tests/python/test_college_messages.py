"""A real chat product: 59,835 messages that students of a university sent each other in 2004.

The file is mapped to events as a team would map its own log (sender is the user, receiver takes the place
of the bot), landed as files and built; every number is compared with a count of a few lines of Python.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import dbt_runner
from plumbline.landing import land
from recounted import reach
from warehouse import Warehouse

pytestmark = pytest.mark.shared

OFF = {"automation_messages_per_minute": 0, "automation_events_per_day": 0}
LANDED = datetime(2004, 11, 1)


class Message(NamedTuple):
    """One line of the file."""

    sender: str
    receiver: str
    at: datetime

    @property
    def day(self) -> date:
        return self.at.date()


@pytest.fixture(scope="module")
def messages(shared_data: Path) -> list[Message]:
    lines = (shared_data / "college_msg.txt").read_text(encoding="ascii").splitlines()
    assert lines[0] == "src dst time"
    rows = (line.split() for line in lines[1:])
    return [
        Message(sender, receiver, datetime.fromtimestamp(int(second), UTC).replace(tzinfo=None))
        for sender, receiver, second in rows
    ]


class Campus:
    """The warehouse of the messages, with the automation rule on or off."""

    def __init__(self, folder: Path, messages: list[Message]) -> None:
        self.last = max(message.day for message in messages)
        inbox = folder / "inbox"
        inbox.mkdir(parents=True)
        with (inbox / "events.ndjson").open("w", encoding="utf-8") as file:
            for number, message in enumerate(messages, start=1):
                event = {
                    "event_id": str(number),
                    "event_time": message.at.isoformat(),
                    "user_id": message.sender,
                    "event_name": "message_sent",
                    "bot_id": message.receiver,
                }
                file.write(json.dumps(event) + "\n")
        land(inbox, folder / "lake", ingested_at=LANDED).raise_for_failures()
        self.warehouse = Warehouse(folder, dbt_runner(folder), folder / "lake")

    def build(self, settings: dict[str, int], *select: str) -> None:
        """Build as of the last day of the file, which is taken as complete."""
        self.warehouse.dbt(
            "build", "--exclude-resource-type", "test", "unit_test", "--vars", json.dumps(settings),
            *(("--select", *select) if select else ()), env={"PLUMBLINE_AS_OF": self.last.isoformat()},
        )  # fmt: skip

    def copied(self, folder: Path, settings: dict[str, int], *select: str) -> Campus:
        """A copy of the database, part of it built again with other settings."""
        other = copy.copy(self)
        other.warehouse = Warehouse(folder, dbt_runner(folder), self.warehouse.lake)
        shutil.copyfile(self.warehouse.database, other.warehouse.database)
        other.build(settings, *select)
        return other

    def user_days(self) -> set[tuple[str, date]]:
        """The spine."""
        return set(
            self.warehouse.query("select person_id, activity_date from growth.fct_user_days")
        )


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory, messages: list[Message]) -> Campus:
    """Built with the automation rule off: everybody counts as a person."""
    campus = Campus(tmp_path_factory.mktemp("campus"), messages)
    campus.build(OFF)
    return campus


@pytest.fixture(scope="module")
def with_rule(campus: Campus, tmp_path_factory: pytest.TempPathFactory) -> Campus:
    """The same warehouse, copied and judged again with the automation rule on."""
    return campus.copied(tmp_path_factory.mktemp("with_rule"), {}, "int_user_days_classified+")


def test_every_message_is_accepted(campus: Campus, messages: list[Message]) -> None:
    row = campus.warehouse.query(
        "select sum(line_count), sum(accepted_count) from core.fct_loads where table_name = 'events'"
    )
    assert tuple(map(int, row[0])) == (59_835, 59_835) == (len(messages),) * 2


def test_people_days_and_user_days(campus: Campus, messages: list[Message]) -> None:
    counted = {(message.sender, message.day) for message in messages}
    assert campus.user_days() == counted
    assert len({sender for sender, _ in counted}) == 1_350
    # 193 days with a message; the calendar from the first to the last has two silent ones more.
    assert len({day for _, day in counted}) == 193
    calendar = campus.warehouse.query("select count(*), count_if(daily_active_users = 0) "
                                      "from growth.agg_active_users__daily")  # fmt: skip
    assert calendar == [(195, 2)]
    rows = campus.warehouse.query("select person_id, activity_date, message_count, event_count "
                                  "from growth.fct_user_days")  # fmt: skip
    sent = Counter((message.sender, message.day) for message in messages)
    assert {(person, day): (said, events) for person, day, said, events in rows} == {
        key: (count, count) for key, count in sent.items()
    }


# Published for this data: day 1 43.8 %, day 7 26.3 %, of the people who were first active so long before the
# last complete day. The last day ends at eight in the morning, so the complete one is the day before.
@pytest.mark.parametrize(("age", "published"), [(1, 0.438), (7, 0.263)])
def test_retention_on_exactly_one_day(
    campus: Campus, messages: list[Message], age: int, published: float
) -> None:
    active = defaultdict(set)
    for message in messages:
        active[message.sender].add(message.day)
    complete = campus.last - timedelta(days=1)
    for end in (complete, campus.last):
        found = campus.warehouse.query(f"""
            with cohorts as (
                select person_id, min(activity_date) as first_date
                from growth.fct_user_days group by person_id
            )
            select count(*), count(days.person_id) from cohorts
            left join growth.fct_user_days as days
                on days.person_id = cohorts.person_id and days.activity_date = cohorts.first_date + {age}
            where cohorts.first_date + {age} <= date '{end}'""")[0]
        mature = [days for days in active.values() if min(days) + timedelta(days=age) <= end]
        back = [days for days in mature if min(days) + timedelta(days=age) in days]
        assert found == (len(mature), len(back))
        if end == complete:
            assert round(found[1] / found[0], 3) == published


def test_actives_of_every_day_by_sets(campus: Campus, messages: list[Message]) -> None:
    active = defaultdict(set)
    for message in messages:
        active[message.day].add(message.sender)
    told = reach(active, campus.last)
    found = campus.warehouse.contents(
        "growth.agg_active_users__daily",
        ["activity_date", "daily_active_users", "weekly_active_users", "monthly_active_users"],
    )
    assert found == told


def test_actives_are_forecast_and_the_forecast_is_judged(
    campus: Campus, messages: list[Message]
) -> None:
    """The marts run on a log without payments; seasonal naive and its error are recounted from the file."""
    sets = defaultdict(set)
    for message in messages:
        sets[message.day].add(message.sender)
    rows = campus.warehouse.query(
        "select origin_date, target_date, actual_value, p50, naive_value from growth.fct_forecast_backtests "
        "where metric = 'daily_active_users' and horizon_days <= 28"
    )
    error = naive = 0.0
    for origin, target, actual, median, last_week in rows:
        same_weekday = target - timedelta(weeks=-(-(target - origin).days // 7))
        assert float(actual) == len(sets[target])
        assert float(last_week) == pytest.approx(len(sets[same_weekday]), abs=1e-5)
        error += abs(float(median) - len(sets[target]))
        naive += abs(len(sets[same_weekday]) - len(sets[target]))
    assert len(rows) > 1_000
    ((ratio, better, covered),) = campus.warehouse.query(
        "select error_to_naive_ratio, is_better_than_naive, coverage_80_rate "
        "from growth.agg_forecast_accuracy where metric = 'daily_active_users' and horizon_days = 28"
    )
    assert ratio == pytest.approx(error / naive, rel=1e-5)
    assert better == (error < naive)
    assert 0 < covered < 1
    ahead = campus.warehouse.query(
        "select count(*), count(p50) from growth.fct_forecasts "
        "where metric in ('daily_active_users', 'weekly_active_users', 'new_users')"
    )
    assert ahead == [(270, 270)]


def test_receivers_stand_for_bots(campus: Campus, messages: list[Message]) -> None:
    sent = Counter((message.receiver, message.day) for message in messages)
    senders = Counter(
        (bot, day) for bot, day, _ in {(m.receiver, m.day, m.sender) for m in messages}
    )
    found = campus.warehouse.query(
        "select bot_id, activity_date, message_count, chatting_user_count, viewer_count, chat_start_rate "
        "from engagement.agg_bot_engagement__daily"
    )
    # Nobody looked at a page: no rate, rather than zero.
    assert sorted(found) == sorted((*key, sent[key], senders[key], 0, None) for key in sent)


def test_the_rule_takes_out_exactly_the_fast_user_days(
    campus: Campus, with_rule: Campus, messages: list[Message]
) -> None:
    minutes = Counter((m.sender, m.at.replace(second=0, microsecond=0)) for m in messages)
    days = Counter((m.sender, m.day) for m in messages)
    fast = {(sender, minute.date()) for (sender, minute), count in minutes.items() if count > 20}
    fast |= {key for key, count in days.items() if count > 2_000}
    # The real data has some: people who pasted one message to many others.
    assert fast
    before, after = campus.user_days(), with_rule.user_days()
    assert after <= before
    assert before - after == fast
    people, machines = Counter(day for _, day in after), Counter(day for _, day in fast)
    daily = with_rule.warehouse.query(
        "select activity_date, daily_active_users, automated_user_day_count "
        "from growth.agg_active_users__daily"
    )
    assert len(daily) == 195
    for day, active, automated in daily:
        assert (active, automated) == (people[day], machines[day])
    # Facts keep every user-day: a changed limit needs no second look at the events.
    facts = "intermediate.int_events_aggregated_to_user_days"
    assert with_rule.warehouse.contents(facts) == campus.warehouse.contents(facts)
