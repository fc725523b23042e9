"""Where a session begins and ends: stories with known answers, and random histories against plain loops."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from conftest import dbt_runner
from warehouse import Warehouse, register, write_rows

# The rules as vars.yml ships them; a test that reads them there could not see one that is misread.
GAP, ID_MAX, SESSION_MAX = 1800, 86_400, 14_400
START = datetime(2026, 3, 1)


class Story(NamedTuple):
    """What a person does, as (time, session id or none), and the sessions: start, end, events."""

    told: list[tuple[str, str | None]]
    sessions: list[tuple[str, str, int]]


STORIES = {
    "a second less than the gap": Story(
        [("01 10:00:00", None), ("01 10:29:59", None)],
        [("01 10:00:00", "01 10:29:59", 2)],
    ),
    "the gap to the second": Story(
        [("01 10:00:00", None), ("01 10:30:00", None)],
        [("01 10:00:00", "01 10:30:00", 2)],
    ),
    "a second more than the gap": Story(
        [("01 10:00:00", None), ("01 10:30:01", None)],
        [("01 10:00:00", "01 10:00:00", 1), ("01 10:30:01", "01 10:30:01", 1)],
    ),
    "over midnight": Story(
        [("01 23:50:00", None), ("02 00:10:00", None), ("02 00:30:00", None), ("02 02:00:00", None)],
        [("01 23:50:00", "02 00:30:00", 3), ("02 02:00:00", "02 02:00:00", 1)],
    ),
    "an id over midnight and a pause": Story(
        [("01 23:50:00", "m"), ("02 03:00:00", "m")],
        [("01 23:50:00", "02 03:00:00", 2)],
    ),
    "a stuck id": Story(
        [("01 10:00:00", "stuck"), ("01 10:05:00", "stuck"), ("03 10:00:00", "stuck")],
        [("01 10:00:00", "01 10:05:00", 2), ("03 10:00:00", "03 10:00:00", 1)],
    ),
    "a stuck id beside a good one": Story(
        [("01 10:00:00", "stuck"), ("01 10:05:00", "good"), ("01 10:10:00", "stuck"),
         ("03 10:00:00", "stuck")],
        [("01 10:00:00", "01 10:10:00", 3), ("03 10:00:00", "03 10:00:00", 1)],
    ),
    "an id that another person sends as well": Story(
        [("01 10:00:00", "shared")], [("01 10:00:00", "01 10:00:00", 1)]
    ),
    "an id that somebody else sends an hour later": Story(
        [("01 11:00:00", "shared"), ("01 11:01:00", "shared")],
        [("01 11:00:00", "01 11:01:00", 2)],
    ),
    "two devices that take turns": Story(
        [("01 10:00:00", "left"), ("01 10:01:00", "right"), ("01 10:02:00", "left"),
         ("01 10:03:00", "right"), ("01 10:04:00", None)],
        [("01 10:00:00", "01 10:02:00", 2), ("01 10:01:00", "01 10:04:00", 3)],
    ),
    "an event without an id joins the one before it": Story(
        [("01 10:00:00", "left"), ("01 10:05:00", "right"), ("01 10:06:00", "left"),
         ("01 10:07:00", None), ("01 10:08:00", "right")],
        [("01 10:00:00", "01 10:07:00", 3), ("01 10:05:00", "01 10:08:00", 2)],
    ),
    "or the first one after it": Story(
        [("01 09:00:00", None), ("01 10:00:00", None), ("01 10:20:00", "after"), ("01 10:50:01", None)],
        [("01 09:00:00", "01 09:00:00", 1), ("01 10:00:00", "01 10:20:00", 2),
         ("01 10:50:01", "01 10:50:01", 1)],
    ),
    "at one instant the id counts as before": Story(
        [("01 10:00:00", "old"), ("01 10:10:00", None), ("01 10:10:00", "new")],
        [("01 10:00:00", "01 10:00:00", 1), ("01 10:10:00", "01 10:10:00", 2)],
    ),
    "without an id after midnight": Story(
        [("01 23:40:00", "left"), ("01 23:50:00", "right"), ("01 23:55:00", "left"),
         ("02 00:05:00", None)],
        [("01 23:40:00", "02 00:05:00", 3), ("01 23:50:00", "01 23:50:00", 1)],
    ),
}  # fmt: skip


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}")


def _histories(dice: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Sixty people with gaps around the limit, some ids of their own, some shared, some for days on end."""
    people = {}
    for number in range(60):
        moment = START + timedelta(seconds=dice.randrange(86_400))
        own = [f"own{number}_{k}" for k in range(3)]
        ids = dice.choice([[None], own, [*own, None], ["shared", None], ["stuck", *own, None]])
        events = []
        for _ in range(dice.randrange(3, 60)):
            pause = [dice.randrange(5, 300), 1799, 1800, 1801, dice.randrange(900, 20_000)]
            moment += timedelta(seconds=dice.choices(pause, [12, 2, 2, 2, 1])[0])
            if moment >= START + timedelta(days=4):
                break
            events.append(_event(f"random {number}", moment, dice.choice(ids), dice))
        people[f"random {number}"] = events
    return people


def _event(
    person: str, moment: datetime, session: str | None, dice: random.Random
) -> dict[str, Any]:
    name = dice.choice(["app_open", "feature_used", "message_sent", "bot_view"])
    return {
        "event_time": moment, "user_id": person, "session_id": session, "event_name": name,
        "feature": dice.choice(["chat", "flashcards", "new one"]) if name == "feature_used" else None,
        "method": dice.choice(["generate", "regenerate"]) if name == "message_sent" else None,
        "ingested_at": START + timedelta(days=9),
    }  # fmt: skip


def _sessions(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The definition, event by event: one list of events for each session of a person."""
    # Stories and histories have no two ids at one instant, so ids need no order of their own.
    ordered = sorted(events, key=lambda e: (e["event_time"], e["session_id"] is None))
    used = defaultdict(list)
    for event in ordered:
        used[event["session_id"]].append(event["event_time"])
    longest = timedelta(seconds=ID_MAX)
    good = {name for name, times in used.items() if name and times[-1] - times[0] <= longest}
    stretches: list[list[dict[str, Any]]] = []
    for event in ordered:
        if not stretches or (event["event_time"] - stretches[-1][-1]["event_time"]) > timedelta(
            seconds=GAP
        ):
            stretches.append([])
        stretches[-1].append(event)
    sessions = defaultdict(list)
    for number, stretch in enumerate(stretches):
        names = [e["session_id"] if e["session_id"] in good else None for e in stretch]
        # Before the first id of a stretch its events wait for that one.
        current = next((name for name in names if name), number)
        for event, name in zip(stretch, names, strict=True):
            current = name or current
            sessions[current].append(event)
    return list(sessions.values())


Row = tuple[Any, ...]


def _row(events: list[dict[str, Any]]) -> Row:
    times = [event["event_time"] for event in events]
    names = [event["event_name"] for event in events]
    new = [e for e in events if e["event_name"] == "message_sent" and e["method"] == "generate"]
    features = {event["feature"] for event in events} - {None, "new one"}
    first, last = min(times), max(times)
    return (
        first.date(), first, last, len(events), names.count("bot_view"), names.count("message_sent"),
        len(new), names.count("feature_used"), len(features),
        min((last - first).total_seconds(), SESSION_MAX),
    )  # fmt: skip


@pytest.fixture(scope="module")
def events() -> dict[str, list[dict[str, Any]]]:
    dice = random.Random(20)
    people = {
        name: [_event(name, _moment(at), session, dice) for at, session in story.told]
        for name, story in STORIES.items()
    }
    return {**people, **_histories(dice)}


@pytest.fixture(scope="module")
def found(
    events: dict[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Row]]:
    """Sessions of the warehouse by person, in the order of their numbers."""
    folder = tmp_path_factory.mktemp("sessions")
    rows = [row for history in events.values() for row in history]
    # The last day of the data is going on; somebody has to make the fourth one complete.
    rows.append({**rows[0], "user_id": "later", "event_time": START + timedelta(days=4, hours=1)})
    random.Random(3).shuffle(rows)
    for number, row in enumerate(rows):
        row["event_id"] = f"e{number}"
    write_rows(folder / "lake", "events", "all", rows)
    register(folder / "lake")
    warehouse = Warehouse(folder, dbt_runner(folder), folder / "lake")
    warehouse.models("+fct_sessions")
    people = defaultdict(list)
    for person, number, *row, seconds in warehouse.query(
        "select person_id, session_number, session_date, started_at, ended_at, event_count, view_count, "
        "message_count, new_message_count, feature_use_count, feature_count, duration_seconds "
        "from engagement.fct_sessions order by person_id, session_number"
    ):
        people[person].append((*row, float(seconds)))
        assert number == len(people[person])
    assert "later" not in people
    return dict(people)


@pytest.mark.parametrize("name", STORIES)
def test_story(found: dict[str, list[Row]], name: str) -> None:
    told = [(_moment(start), _moment(end), count) for start, end, count in STORIES[name].sessions]
    assert [row[1:4] for row in found[name]] == told
    assert [row[0] for row in found[name]] == [start.date() for start, _, _ in told]


def test_random_histories_by_loops(
    events: dict[str, list[dict[str, Any]]], found: dict[str, list[Row]]
) -> None:
    told = {person: sorted(map(_row, _sessions(history))) for person, history in events.items()}
    assert {person: sorted(rows) for person, rows in found.items()} == told
    sizes = [row[3] for rows in told.values() for row in rows]
    assert len(sizes) > 200
    assert min(sizes) == 1 < max(sizes)
    # Each rule was tried: long sessions are capped, and people have sessions that overlap.
    assert any(row[-1] == SESSION_MAX < (row[2] - row[1]).total_seconds()
               for rows in told.values() for row in rows)  # fmt: skip
    assert any(one[1] < other[1] < one[2] for rows in told.values()
               for one, other in zip(sorted(rows), sorted(rows)[1:], strict=False))  # fmt: skip
