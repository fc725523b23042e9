"""Funnels: the walk over steps against a search of all paths, and the shipped funnels against a recount of
the raw files. Neither shares a line with the SQL of the models.
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pytest

from conftest import ROOT
from plumbline.contract import table
from worlds import World

# The fixture of the second opinion: accepted events, machines and staff, read from the raw files.
from test_sample_truth import recount  # noqa: F401  isort: skip
from recounted import Recount


def _known(column: str) -> list[str]:
    """Values of an event column that the contract knows, in the order of their codes."""
    return list(next(c for c in table("events").columns if c.name == column).known or ())


EVENT_NAMES = _known("event_name")
OTHER = ["subscription_started", "trial_started", "order_placed", "answer_rated"]
ORDER = {name: place for place, name in enumerate([*EVENT_NAMES, *OTHER])}


class Action(NamedTuple):
    """One action; tuples compare as actions follow each other."""

    at: datetime
    order: int
    key: int

    @property
    def name(self) -> str:
        return [*EVENT_NAMES, *OTHER][self.order]


class Step(NamedTuple):
    """One row of the seed."""

    funnel: str
    number: int
    name: str
    action: str
    occurrence: int
    window: int
    is_exclusion: bool


class Walk(NamedTuple):
    """When each step was reached, and after which step the person was excluded."""

    reached: tuple[datetime, ...]
    excluded_after: int | None


def _served(step: Step, since_entry: Sequence[Action]) -> list[Action]:
    """Actions that may do a step: the n-th match since the entry and every later one."""
    matches = [action for action in since_entry if action.name == step.action]
    return matches[step.occurrence - 1 :]


def walk(steps: Iterable[Step], history: Iterable[Action], as_of: date) -> Walk | None:
    """Search of all paths: every action that some path of ordered actions can put at a step.

    The earliest of them is when the step was reached. Nothing is greedy here: a step is reached if any choice
    of earlier steps leads to it. None without an entry, or where its window is not over.
    """
    rows = list(steps)
    ordered = {row.number: row for row in rows if not row.is_exclusion}
    actions = sorted(history)
    entries = [action for action in actions if action.name == ordered[1].action]
    if not entries or entries[0].at.date() + timedelta(days=ordered[1].window) > as_of:
        return None
    entry = entries[0]
    last = entry.at + timedelta(days=ordered[1].window)
    since = [action for action in actions if entry <= action and action.at <= last]
    possible = [{entry}]
    for number in range(2, len(ordered) + 1):
        possible.append(
            {
                action
                for action in _served(ordered[number], since)
                if any(before < action for before in possible[-1])
            }
        )
    reached = [entry.at]
    for number in range(1, len(ordered) + 1):
        here = min(possible[number - 1])
        following = min(possible[number]) if number < len(ordered) and possible[number] else None
        barred = [
            action
            for row in rows
            if row.is_exclusion and row.number == number
            for action in _served(row, since)
            if here < action and (following is None or action < following)
        ]
        if barred:
            return Walk(tuple(reached), number)
        if following is None:
            break
        reached.append(following.at)
    return Walk(tuple(reached), None)


# ---------------------------------------------------------------- the walk of the SQL on random histories
FIRST = datetime(2026, 1, 1)
AS_OF = date(2026, 1, 6)
DOABLE = ["app_open", "bot_view", "message_sent", "conversation_reset", "subscription_started"]


def _random_funnel(chance: random.Random, name: str) -> list[Step]:
    count, window = chance.randint(2, 5), chance.randint(1, 3)
    rows = [
        Step(name, number, f"step_{number}", chance.choice(DOABLE),
             1 if number == 1 else chance.choice([1, 1, 2, 3]), window, False)
        for number in range(1, count + 1)
    ]  # fmt: skip
    for place in range(chance.randint(0, 2)):
        rows.append(
            Step(name, chance.randint(1, count - 1), f"stop_{place}", chance.choice(DOABLE),
                 chance.choice([1, 1, 2]), window, True)
        )  # fmt: skip
    return rows


def _random_history(chance: random.Random, keys: Iterable[int]) -> list[Action]:
    """Actions on a grid of six hours: many share an instant, many lie exactly at the end of a window."""
    return [
        Action(
            FIRST + timedelta(hours=6 * chance.randint(0, 27)), ORDER[chance.choice(DOABLE)], key
        )
        for key, _ in zip(keys, range(chance.randint(1, 14)), strict=False)
    ]


def _compiled(world: World, model: str) -> str:
    models = world.warehouse.folder / "target" / "compiled" / "plumbline" / "models"
    return (models / "intermediate" / "engagement" / f"{model}.sql").read_text(encoding="utf-8")


def test_the_walk_equals_a_search_of_all_paths(sample: World, tmp_path: Path) -> None:
    chance = random.Random(7)
    funnels = [_random_funnel(chance, f"f{number:02}") for number in range(60)]
    keys = iter(range(1, 1_000_000))
    people = {person: _random_history(chance, keys) for person in range(1, 201)}
    machine_days = {
        (person, (FIRST + timedelta(days=chance.randint(0, 5))).date())
        for person in chance.sample(sorted(people), 60)
    }
    connection = duckdb.connect(str(tmp_path / sample.warehouse.database.name))
    connection.execute("create schema intermediate; create schema reference; set timezone = 'UTC'")
    steps = pa.Table.from_pylist(
        [
            {
                "funnel": step.funnel, "step_number": step.number, "step_name": step.name,
                "action": step.action, "feature": "any", "method": "any",
                "occurrence": step.occurrence, "window_days": step.window,
                "is_exclusion": step.is_exclusion,
            }
            for funnel in funnels
            for step in funnel
        ]
    )  # fmt: skip
    happened = pa.Table.from_pylist(
        [
            {"person_key": person, "action_key": action.key, "action_at": action.at,
             "code": action.order + 1 if action.name in EVENT_NAMES else 101 + OTHER.index(action.name)}
            for person, history in people.items()
            for action in history
        ]
    )  # fmt: skip
    excluded = pa.Table.from_pylist(
        [{"person_key": person, "event_date": day} for person, day in sorted(machine_days)]
    )
    for name, rows in (
        ("reference.funnel_steps", steps),
        ("happened", happened),
        ("intermediate.int_user_days_excluded", excluded),
    ):
        connection.register("rows_given", rows)
        connection.execute(f"create table {name} as select * from rows_given")
    codes = {name: place for place, name in enumerate(EVENT_NAMES, start=1)}
    counts = ", ".join(
        f"count(*) filter (code = {code}) as {name}_count" for name, code in codes.items()
    )
    unused = [f"0 as {method}_message_count" for method in _known("method")]
    unused += [f"0 as {feature}_use_count" for feature in _known("feature")]
    connection.execute(f"""
        create table intermediate.int_as_of as select date '{AS_OF}' as as_of_date;
        create table intermediate.int_events_resolved as
        select person_key, action_key as event_key, code as event_code, null::smallint as feature_code,
            null::smallint as method_code, action_at as event_at, cast(action_at as date) as event_date
        from happened where code < 100;
        create table intermediate.int_actions_recorded as
        select h.person_key, h.action_key, h.code as action_code, h.action_at,
            cast(h.action_at as date) as action_date
        from happened as h left join intermediate.int_user_days_excluded as e
            on h.person_key = e.person_key and cast(h.action_at as date) = e.event_date
        where h.code > 100 and e.person_key is null and cast(h.action_at as date) <= date '{AS_OF}';
        create table intermediate.int_user_days_classified as
        select h.person_key, cast(action_at as date) as event_date, {counts}, {", ".join(unused)},
            any_value(e.person_key) is null as is_human
        from happened as h left join intermediate.int_user_days_excluded as e
            on h.person_key = e.person_key and cast(h.action_at as date) = e.event_date
        where code < 100 and cast(action_at as date) <= date '{AS_OF}' group by all
    """)
    for model in (
        "steps_coded",
        "entry_days",
        "actions_matched",
        "actions_since_entry",
        "entries_walked",
    ):
        name = f"int_funnel_{model}"
        connection.execute(f"create table intermediate.{name} as {_compiled(sample, name)}")
    columns = ", ".join(f"step_{number}_at" for number in range(1, 6))
    found = {
        (person, funnel): Walk(tuple(at for at in moments if at is not None), excluded)
        for person, funnel, excluded, *moments in connection.execute(
            f"select person_key, funnel, excluded_after_step, {columns} "
            "from intermediate.int_funnel_entries_walked"
        ).fetchall()
    }
    told = {}
    for person, history in people.items():
        counted = [
            action
            for action in history
            if action.at.date() <= AS_OF and (person, action.at.date()) not in machine_days
        ]
        for funnel in funnels:
            path = walk(funnel, counted, AS_OF)
            if path is not None:
                told[person, funnel[0].funnel] = path
    assert found == told
    # The histories try what they are for: every depth, exclusions, and ends of windows hit exactly.
    assert {len(path.reached) for path in told.values()} == {1, 2, 3, 4, 5}
    assert sum(path.excluded_after is not None for path in told.values()) > 500
    windows = {funnel[0].funnel: timedelta(days=funnel[0].window) for funnel in funnels}
    assert (
        sum(path.reached[-1] - path.reached[0] == windows[f] for (_, f), path in told.items()) > 20
    )


# ---------------------------------------------------------------- the shipped funnels, recounted
def _rows(folder: str, name: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _shipped() -> dict[str, list[Step]]:
    funnels = defaultdict(list)
    for row in _rows("reference", "funnel_steps"):
        assert (row["feature"], row["method"]) == ("any", "any"), "the recount knows names only"
        funnels[row["funnel"]].append(
            Step(row["funnel"], int(row["step_number"]), row["step_name"], row["action"],
                 int(row["occurrence"]), int(row["window_days"]), row["is_exclusion"] == "true")
        )  # fmt: skip
    return dict(funnels)


def _recorded(
    name: str, key: str, time: str, required: Sequence[str]
) -> Iterable[tuple[dict[str, str], datetime]]:
    """Rows of a table of records, one a key: the earliest copy of those that are complete and past."""
    winners: dict[str, tuple[datetime, dict[str, str]]] = {}
    for row in _rows("raw", f"raw_{name}"):
        if not all(row[column].strip() for column in (key, time, *required)):
            continue
        at = datetime.fromisoformat(row[time])
        if (
            not datetime(1990, 1, 1)
            <= at
            <= datetime.fromisoformat(row["ingested_at"]) + timedelta(days=1)
        ):
            continue
        if row[key] not in winners or at < winners[row[key]][0]:
            winners[row[key]] = (at, row)
    return [(row, at) for at, row in winners.values()]


@pytest.fixture(scope="module")
def histories(recount: Recount) -> dict[str, list[Action]]:  # noqa: F811
    """Actions of every person up to the last complete day, from the raw files."""
    found = defaultdict(list)
    for key, event in enumerate(recount.people()):
        if event.name in ORDER:
            found[event.person].append(Action(event.at, ORDER[event.name], key))
    started = {"started": "subscription_started", "trial_started": "trial_started"}
    records = [
        (row["user_id"], at, started[row["event_type"]])
        for row, at in _recorded(
            "subscription_events",
            "event_id",
            "event_time",
            ["subscription_id", "user_id", "plan_id"],
        )
        if row["event_type"] in started and float(row["amount"] or -1) >= 0
    ]
    records += [
        (row["rater_id"], at, "answer_rated")
        for row, at in _recorded(
            "llm_ratings", "rating_id", "rated_at", ["response_id", "rater_id"]
        )
        if row["rater_kind"] == "user" and row["score"] in ("1", "2", "3", "4", "5")
    ]
    for key, (person, at, name) in enumerate(records):
        if recount.is_person(person, at.date()):
            found[person].append(Action(at, ORDER[name], key))
    return dict(found)


def test_shipped_funnels_equal_a_recount_of_the_raw_files(
    sample: World,
    histories: dict[str, list[Action]],
    recount: Recount,  # noqa: F811
) -> None:
    told: list[tuple[Any, ...]] = []
    days: Counter[tuple[str, date, int]] = Counter()
    for funnel, steps in _shipped().items():
        for person, history in histories.items():
            path = walk(steps, history, recount.as_of)
            if path is None:
                continue
            entered = path.reached[0]
            told.append(
                (
                    person,
                    funnel,
                    entered,
                    len(path.reached),
                    path.reached[-1],
                    path.excluded_after is not None,
                )
            )
            for number in range(1, len(path.reached) + 1):
                days[funnel, entered.date(), number] += 1
    found = sample.warehouse.contents(
        "engagement.fct_funnel_entries",
        ["person_id", "funnel", "entered_at", "reached_step_number", "reached_at", "is_excluded"],
    )
    assert found == sorted(told)
    # All that can happen does: conversions to money, exclusions, and people who never went on.
    assert any(row[1] == "activation" and row[3] == 5 for row in told)
    assert any(row[5] for row in told)
    assert any(row[3] == 1 for row in told)
    reached = sample.warehouse.query(
        "select funnel, entry_date, step_number, reached_count from engagement.agg_funnel_steps__daily "
        "where reached_count > 0"
    )
    assert {(funnel, day, step): count for funnel, day, step, count in reached} == dict(days)


@pytest.mark.truth
def test_a_million_events_lose_nobody(world: World) -> None:
    """Pooled counts of the funnels equal an aggregation of another shape, straight from the events."""
    found = world.warehouse.query(
        "select reached_count from engagement.agg_funnel_steps__segments "
        "where funnel = 'activation' and segment_dimension = 'all' and step_number <= 3 order by step_number"
    )
    told = world.warehouse.query("""
        with e as (
            select e.person_key, e.event_code, e.event_at, e.event_date
            from intermediate.int_events_resolved as e
            anti join intermediate.int_user_days_excluded as x
                on e.person_key = x.person_key and e.event_date = x.event_date
            where e.event_code in (2, 3, 4)
        ),
        shown as (select person_key, min(event_at) as shown_at from e where event_code = 2 group by 1),
        entered as (
            select * from shown
            where cast(shown_at as date) + 7 <= (select as_of_date from intermediate.int_as_of)
        ),
        opened as (
            select s.person_key, s.shown_at, min(e.event_at) as opened_at from entered as s
            join e on e.person_key = s.person_key and e.event_code = 3
                and e.event_at >= s.shown_at and e.event_at <= s.shown_at + interval 7 days
            group by 1, 2
        ),
        wrote as (
            select distinct o.person_key from opened as o
            join e on e.person_key = o.person_key and e.event_code = 4
                and e.event_at >= o.opened_at and e.event_at <= o.shown_at + interval 7 days
        )
        select count(*) from entered union all select count(*) from opened union all
        select count(*) from wrote
    """)
    assert sorted(found) == sorted(told)
    assert told[0][0] > 5_000
