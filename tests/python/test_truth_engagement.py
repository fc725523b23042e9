"""Sessions, conversations, actions, features and slices: the shipped sample counted once more in plain
loops over its raw files, and what was planted in a simulated warehouse recovered from the marts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from bounds import binomials, pooled, scores_are_noise
from plumbline.contract import table
from plumbline.simulate.truth import Truth
from recounted import Recount
from test_sample_truth import _good_event, _lines, _moment, recount  # noqa: F401
from warehouse import Warehouse
from worlds import World

pytestmark = pytest.mark.truth

FEATURES = table("events").by_name["feature"].known or []
METHODS = table("events").by_name["method"].known or []
# How the actions mart calls what the contract calls otherwise.
ACTIONS = {
    "conversation_reset": "reset",
    "bot_follow": "follow",
    "image_generated": "image",
    "feature_used": "feature",
}


# ---------------------------------------------------------------- the sample, without SQL
class Told(NamedTuple):
    """An accepted event of a person on a day that counts."""

    at: datetime
    person: str
    name: str
    bot: str
    method: str
    feature: str
    session: str
    conversation: str
    platform: str
    country: str
    engaged: Decimal

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def is_new_message(self) -> bool:
        return self.name == "message_sent" and self.method != "regenerate"


@pytest.fixture(scope="module")
def warehouse(sample: World) -> Warehouse:
    return sample.warehouse


@pytest.fixture(scope="module")
def events(recount: Recount) -> list[Told]:  # noqa: F811
    """Events in the order of time; who a person is and what day counts is the recount's word."""
    owner: dict[str, tuple[datetime, str]] = {}
    for row in _lines("identity_links"):
        if row["anonymous_id"].strip() and row["user_id"].strip() and row["linked_at"].strip():
            link = (_moment(row["linked_at"]), row["user_id"])
            owner[row["anonymous_id"]] = min(link, owner.get(row["anonymous_id"], link))
    winners: dict[str, dict[str, str]] = {}
    for row in filter(_good_event, _lines("events")):
        held = winners.setdefault(row["event_id"], row)
        if _moment(row["event_time"]) < _moment(held["event_time"]):
            winners[row["event_id"]] = row
    found = []
    for row in winners.values():
        person = row["user_id"] or owner.get(row["anonymous_id"], (None, row["anonymous_id"]))[1]
        told = Told(
            _moment(row["event_time"]), person, row["event_name"], row["bot_id"], row["method"],
            row["feature"], row["session_id"], row["conversation_id"], row["platform"],
            row["country"], Decimal(row["engaged_seconds"] or 0),
        )  # fmt: skip
        if recount.is_person(person, told.day):
            found.append(told)
    assert len(found) == sum(1 for _ in recount.people())
    return sorted(found)


@pytest.fixture(scope="module")
def active(events: list[Told]) -> dict[date, set[str]]:
    """Active people by day; every day from the first event has an entry."""
    days = {day: set[str]() for day in _days(events)}
    for event in events:
        if event.name in ("message_sent", "feature_used"):
            days[event.day].add(event.person)
    return days


def _days(events: list[Told]) -> Iterator[date]:
    first, last = events[0].day, events[-1].day
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


@pytest.fixture(scope="module")
def sessions(events: list[Told]) -> list[list[Told]]:
    """The sample's clients send an id with every event, and none of them is stuck: the id decides."""
    found = defaultdict(list)
    for event in events:
        assert event.session
        found[event.person, event.session].append(event)
    assert max(held[-1].at - held[0].at for held in found.values()) < timedelta(days=1)
    return list(found.values())


def _seconds(session: list[Told]) -> Decimal:
    length = (session[-1].at - session[0].at) / timedelta(milliseconds=1)
    return Decimal(min(int(length), 14_400_000)) / 1000


def test_sessions_by_loops(warehouse: Warehouse, sessions: list[list[Told]]) -> None:
    told = sorted(
        (
            s[0].person, s[0].day, s[0].at, s[-1].at, len(s),
            sum(e.name == "bot_view" for e in s), sum(e.name == "message_sent" for e in s),
            sum(e.is_new_message for e in s), len({e.feature for e in s} & set(FEATURES)),
            sum(e.engaged for e in s), _seconds(s), len(s) == 1,
        )
        for s in sessions
    )  # fmt: skip
    found = warehouse.contents(
        "engagement.fct_sessions",
        ["person_id", "session_date", "started_at", "ended_at", "event_count", "view_count",
         "message_count", "new_message_count", "feature_count", "engaged_seconds",
         "duration_seconds", "is_bounce"],
    )  # fmt: skip
    assert len(told) > 4000
    assert found == told
    assert 0 < sum(row[-1] for row in told) < len(told)
    numbers = warehouse.query(
        "select max(session_number), count(*), count(distinct session_number) "
        "from engagement.fct_sessions group by person_id"
    )
    assert all(top == count == different for top, count, different in numbers)


def _quantile(values: list[Any], share: float) -> float:
    """Interpolated between the two values around the place, as spreadsheets do."""
    ordered = sorted(map(float, values))
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_session_depth_by_loops(warehouse: Warehouse, sessions: list[list[Told]]) -> None:
    days = defaultdict(list)
    for session in sessions:
        days[session[0].day].append(session)
    rows = warehouse.query(
        "select activity_date, session_count, session_user_count, bounce_count, event_count, "
        "engaged_seconds, duration_seconds, events_per_session, events_per_session_p50, "
        "events_per_session_p90, duration_seconds_per_session_p50, duration_seconds_per_session_p90, "
        "engaged_seconds_per_session, features_per_session from engagement.agg_sessions__daily"
    )
    assert {row[0] for row in rows} >= set(days)
    for day, *found in rows:
        held = days[day]
        sizes, lengths = [len(s) for s in held], [_seconds(s) for s in held]
        engaged = sum((e.engaged for s in held for e in s), Decimal(0))
        features = sum(len({e.feature for e in s} & set(FEATURES)) for s in held)
        assert found[:6] == [
            len(held), len({s[0].person for s in held}), sizes.count(1), sum(sizes), engaged,
            sum(lengths, Decimal(0)),
        ]  # fmt: skip
        if not held:
            assert found[6:] == [None] * 7
            continue
        assert found[6:] == pytest.approx([
            sum(sizes) / len(held), _quantile(sizes, 0.5), _quantile(sizes, 0.9),
            _quantile(lengths, 0.5), _quantile(lengths, 0.9), float(engaged) / len(held),
            features / len(held),
        ], rel=1e-12)  # fmt: skip


def test_actions_by_loops(
    warehouse: Warehouse, events: list[Told], active: dict[date, set[str]]
) -> None:
    names = [*METHODS, *ACTIONS.values()]
    done: dict[tuple[date, str], list[str]] = {(day, name): [] for day in active for name in names}
    for event in events:
        if event.person in active[event.day]:
            action = event.method if event.name == "message_sent" else ACTIONS.get(event.name)
            if action:
                done[event.day, action].append(event.person)
    told = sorted(
        (day, action, len(active[day]), len(set(doers)), len(doers))
        for (day, action), doers in done.items()
    )
    columns = ["activity_date", "action_name", "active_user_count", "doer_count", "event_count"]
    assert warehouse.contents("engagement.agg_user_actions__daily", columns) == told
    assert len({action for _, action, _, doers, _ in told if doers}) == len(names)
    # Adoption x events per doer = intensity, wherever somebody did it.
    for rate, each, intensity in warehouse.query(
        "select adoption_rate, events_per_doer, events_per_active_user "
        "from engagement.agg_user_actions__daily where doer_count > 0"
    ):
        assert rate * each == pytest.approx(intensity, rel=1e-12)


def test_features_by_loops(
    warehouse: Warehouse, events: list[Told], active: dict[date, set[str]]
) -> None:
    used: dict[tuple[str, str], Counter[date]] = defaultdict(Counter)
    for event in events:
        if event.name == "feature_used":
            feature = event.feature if event.feature in FEATURES else "unknown"
            used[event.person, feature][event.day] += 1
    last, told = max(active), []
    for day, people in active.items():
        for feature in [*FEATURES, "unknown"]:
            users = [days for (_, name), days in used.items() if name == feature and day in days]
            first = [days for days in users if min(days) == day]
            week = {day + timedelta(days=n) for n in range(1, 8)}
            again = sum(1 for days in first if week & days.keys())
            told.append((
                day, feature, len(people), len(users), sum(days[day] for days in users),
                len(first), again if day + timedelta(days=7) <= last else None,
            ))  # fmt: skip
    found = warehouse.contents(
        "engagement.agg_feature_adoption__daily",
        ["activity_date", "feature", "active_user_count", "user_count", "use_count",
         "first_time_user_count", "repeat_7d_user_count"],
    )  # fmt: skip
    assert found == sorted(told, key=lambda row: row[:2])
    assert sum(row[6] or 0 for row in told) > 20
    assert any(row[5] > (row[6] or 0) for row in told if row[6] is not None)


def test_a_day_of_an_active_user_by_loops(
    warehouse: Warehouse,
    events: list[Told],
    sessions: list[list[Told]],
    active: dict[date, set[str]],
) -> None:
    first = dict[str, date]()
    for day, people in sorted(active.items()):
        for person in people:
            first.setdefault(person, day)
    began: dict[str, date] = {}
    pairs: dict[str, set[tuple[date, str, str]]] = {"viewed": set(), "chatted": set()}
    for event in events:
        if event.name == "message_sent" and event.conversation:
            began.setdefault(event.conversation, event.day)
        if event.bot and event.name == "bot_view":
            pairs["viewed"].add((event.day, event.person, event.bot))
        if event.bot and event.is_new_message:
            pairs["chatted"].add((event.day, event.person, event.bot))
    started = Counter(began.values())

    def met(kind: str, day: date, new: bool) -> int:
        return sum(
            1 for at, person, _ in pairs[kind]
            if at == day and person in active[day] and (not new or first[person] == day)
        )  # fmt: skip

    told = []
    for day, people in sorted(active.items()):
        held = [s for s in sessions if s[0].day == day and s[0].person in people]
        told.append((
            day, len(people), sum(first[person] == day for person in people), started[day],
            len(held), sum(map(_seconds, held), Decimal(0)),
            met("viewed", day, new=False), met("chatted", day, new=False),
            met("viewed", day, new=True), met("chatted", day, new=True),
        ))  # fmt: skip
    found = warehouse.contents(
        "engagement.agg_user_engagement__daily",
        ["activity_date", "active_user_count", "new_user_count", "new_conversation_count",
         "session_count", "session_seconds", "active_viewed_pair_count",
         "active_chatting_pair_count", "new_viewed_pair_count", "new_chatting_pair_count"],
    )  # fmt: skip
    assert found == told
    assert sum(row[3] for row in told) == len(began) > 500
    for rate, pairs_found, people_found in warehouse.query(
        "select viewed_bots_per_active_user, active_viewed_pair_count, active_user_count "
        "from engagement.agg_user_engagement__daily"
    ):
        assert rate == (pairs_found / people_found if people_found else None)


# ---------------------------------------------------------------- slices of the sample
def _bot_slices(bot: str, day: date) -> Iterator[tuple[str, str]]:
    """Workflow, kind, model and tags of a bot as of the end of a day, from the raw files."""
    versions = sorted(
        (_moment(row["updated_at"]), row["workflow"], row["is_ai_generated"], row["model_version"])
        for row in _lines("bots")
        if row["bot_id"] == bot and row["workflow"]
    )
    held = [version for version in versions if version[0].date() <= day] or versions[:1]
    _, workflow, made, model = held[-1] if held else (None, "unknown", "", "")
    yield "workflow", workflow
    yield "bot_type", {"true": "ai_generated", "false": "human_made"}.get(made, "unknown")
    yield "model_version", model or "unknown"
    tags = {
        row["tag"]
        for row in _lines("bot_tags")
        if row["bot_id"] == bot and row["tag"] and _moment(row["valid_from"]).date() <= day
        and (not row["valid_to"] or day < _moment(row["valid_to"]).date())
    }  # fmt: skip
    for tag in tags or {"untagged"}:
        yield "tag", tag


def test_slices_of_bots_by_loops(warehouse: Warehouse, events: list[Told]) -> None:
    known: dict[tuple[str, date], list[tuple[str, str]]] = {}
    shown: Counter[tuple[Any, ...]] = Counter()
    messages: Counter[tuple[Any, ...]] = Counter()
    people: dict[str, dict[tuple[Any, ...], set[str]]] = defaultdict(lambda: defaultdict(set))
    pairs: dict[tuple[Any, ...], set[tuple[str, str]]] = defaultdict(set)
    # A month is enough: every dimension, and bots that moved.
    month = [event for event in events if event.bot and event.day.month == 3]
    for event in month:
        if (event.bot, event.day) not in known:
            known[event.bot, event.day] = list(_bot_slices(event.bot, event.day))
        for dimension, value in known[event.bot, event.day]:
            place = (event.day, dimension, value)
            shown[place] += event.name == "bot_impression"
            messages[place] += event.is_new_message
            if event.name in ("bot_view", "message_sent"):
                people["used"][place].add(event.person)
            if event.name == "bot_view":
                people["viewed"][place].add(event.person)
            if event.is_new_message:
                people["chatted"][place].add(event.person)
                pairs[place].add((event.person, event.bot))
    told = sorted(
        (*place, None, len(people["used"][place]), count, len(people["viewed"][place]),
         messages[place], len(people["chatted"][place]), len(pairs[place]), None)
        for place, count in shown.items()
    )  # fmt: skip
    found = warehouse.query(
        "select activity_date, slice_dimension, slice_value, active_user_count, bot_user_count, "
        "impression_count, viewer_count, new_message_count, chatting_user_count, chatting_pair_count, "
        "session_seconds from engagement.agg_engagement__daily_slices "
        "where slice_dimension in ('workflow', 'bot_type', 'model_version', 'tag') "
        "and extract(month from activity_date) = 3 order by 1, 2, 3"
    )
    assert found == told
    # Bots with several tags, and people with several bots of a slice: else the rules were not tried.
    assert max(Counter(d for d, _ in held)["tag"] for held in known.values()) > 1
    assert sum(map(len, pairs.values())) > sum(map(len, people["chatted"].values()))


def test_slices_of_people_by_loops(
    warehouse: Warehouse,
    events: list[Told],
    sessions: list[list[Told]],
    active: dict[date, set[str]],
) -> None:
    described = {
        person: values
        for person, *values in warehouse.query(
            "select person_id, country, platform, role, language, acquisition_channel from core.dim_persons"
        )
    }
    place: dict[tuple[date, str], list[tuple[str, str]]] = {}
    for event in events:
        if (event.day, event.person) not in place:
            country, platform, role, language, channel = described[event.person]
            place[event.day, event.person] = [
                ("country", event.country or country), ("platform", event.platform or platform),
                ("role", role), ("language", language), ("acquisition_channel", channel),
            ]  # fmt: skip
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for (day, person), slices in place.items():
        for part in slices:
            counts[(day, *part)]["active"] += person in active[day]
    for event in events:
        for part in place[event.day, event.person]:
            counts[(event.day, *part)]["shown"] += event.name == "bot_impression" and bool(
                event.bot
            )
            counts[(event.day, *part)]["said"] += event.is_new_message and bool(event.bot)
    for session in sessions:
        day, person = session[0].day, session[0].person
        for part in place[day, person]:
            counts[(day, *part)]["sessions"] += person in active[day]
    names = ("active", "shown", "said", "sessions")
    told = sorted((*part, *(count[name] for name in names)) for part, count in counts.items())
    found = warehouse.query(
        "select activity_date, slice_dimension, slice_value, active_user_count, impression_count, "
        "new_message_count, session_count from engagement.agg_engagement__daily_slices "
        "where slice_dimension in ('country', 'platform', 'role', 'language', 'acquisition_channel') "
        "order by 1, 2, 3"
    )
    assert found == told


# ---------------------------------------------------------------- the simulated world: exact counts
def _sums(warehouse: Warehouse, mart: str, key: str, value: str) -> dict[str, int]:
    rows = warehouse.query(f"select {key}, sum({value}) from engagement.{mart} group by {key}")
    return {name: int(total) for name, total in rows}


@pytest.fixture(scope="module")
def truth(world: World) -> dict[str, Any]:
    return world.truth.planted["product"]


def actions_are_the_truth(warehouse: Warehouse, truth: Truth) -> None:
    """Messages by method, and everything else that people do."""
    found = _sums(warehouse, "agg_user_actions__daily", "action_name", "event_count")
    methods = truth.expected["messages"]["by_method"]
    assert {name: found[name] for name in methods} == methods
    # Whoever resets, follows or makes an image in the generated data has written on that day.
    named = truth.expected["events"]["by_name"]
    assert {name: found[action] for name, action in ACTIONS.items()} == {
        name: named[name] for name in ACTIONS
    }
    features = _sums(warehouse, "agg_feature_adoption__daily", "feature", "use_count")
    assert sum(features.values()) == named["feature_used"]


def people_and_sessions_are_the_truth(warehouse: Warehouse, truth: Truth) -> None:
    """Active and new people of every day, people by role, sessions and the events in them."""
    rows = warehouse.query(
        "select cast(activity_date as varchar), active_user_count, new_user_count "
        "from engagement.agg_user_engagement__daily"
    )
    for place, name in ((1, "dau"), (2, "new_users")):
        counts = truth.expected[name]
        assert {row[0]: row[place] for row in rows} == {
            row[0]: counts.get(row[0], 0) for row in rows
        }
    count, events = warehouse.query(
        "select sum(session_count), sum(event_count) from engagement.agg_sessions__daily"
    )[0]
    assert count == truth.expected["sessions"]
    assert events == sum(truth.expected["events"]["by_name"].values())
    roles = _sums(warehouse, "agg_engagement__daily_slices where slice_dimension = 'role'",
                  "slice_value", "active_user_count")  # fmt: skip
    told_roles = truth.expected["user_days_by_role"]
    # Accounts that never said their role may look around; in the generated data they are not active.
    assert {role: count for role, count in roles.items() if count} == {
        role: count for role, count in told_roles.items() if count
    }
    assert sum(roles.values()) == truth.expected["user_days"]


def slices_hold_the_truth_of_the_bots(warehouse: Warehouse, truth: Truth) -> None:
    """Impressions and clicks, whatever they are divided by."""
    by_bot = truth.expected["by_bot"]
    for dimension in ("workflow", "bot_type", "model_version", "country", "acquisition_channel"):
        impressions, clicks = warehouse.query(
            "select sum(impression_count), sum(clicked_impression_count) "
            f"from engagement.agg_engagement__daily_slices where slice_dimension = '{dimension}'"
        )[0]
        assert (impressions, clicks) == (sum(by_bot["impressions"]), sum(by_bot["clicks"]))


EXACT = [
    actions_are_the_truth,
    people_and_sessions_are_the_truth,
    slices_hold_the_truth_of_the_bots,
]


@pytest.mark.parametrize("check", EXACT)
def test_the_sample_is_told_exactly(
    sample: World, check: Callable[[Warehouse, Truth], None]
) -> None:
    check(sample.warehouse, sample.truth)


@pytest.mark.parametrize("check", EXACT)
def test_the_world_is_told_exactly(world: World, check: Callable[[Warehouse, Truth], None]) -> None:
    check(world.warehouse, world.truth)


def test_new_conversations_of_the_world(world: World) -> None:
    # Each chat that begins with a view is a conversation of its own; the others are resumed, one a person.
    chats = world.truth.expected["chats"]["from_view"]
    found, people = world.warehouse.query(
        "select sum(new_conversation_count), (select count(*) from core.dim_persons) "
        "from engagement.agg_user_engagement__daily"
    )[0]
    assert chats < found <= chats + people


# ---------------------------------------------------------------- planted rates
def _follow_ups(warehouse: Warehouse) -> dict[str, int]:
    """Messages by model that were not the first of their conversation on the day."""
    rows = warehouse.query(
        "select bots.model_version, sum(days.message_count) - count(*) "
        "from intermediate.int_events_aggregated_to_conversation_days as days "
        "inner join intermediate.int_bots_versioned as bots on days.bot_key = bots.bot_key "
        "and days.event_date between bots.valid_from_date and bots.valid_to_date "
        "anti join intermediate.int_user_days_excluded as others "
        "on days.person_key = others.person_key and days.event_date = others.event_date "
        "where days.event_date <= (select as_of_date from intermediate.int_as_of) "
        "group by bots.model_version"
    )
    return {model: int(count) for model, count in rows}


def test_regenerate_rate_of_every_model(world: World, truth: dict[str, Any]) -> None:
    # A message that follows another asks again with the chance of its model, independently: binomial.
    planted = truth["regenerate_rate"]
    trials = _follow_ups(world.warehouse)
    again = {
        model: int(messages - new)
        for model, messages, new in world.warehouse.query(
            "select model_version, sum(message_count), sum(new_message_count) "
            "from engagement.agg_bot_engagement__daily group by model_version"
        )
    }
    cells = binomials((again[model], trials[model], chance) for model, chance in planted.items())
    assert all(cell.variance > 500 for cell in cells)
    scores_are_noise(cells, len(planted))
    pooled(cells, sees=0.05)
    # The bad model stands out by far.
    rates = {model: again[model] / trials[model] for model in planted}
    assert max(rates, key=rates.__getitem__) == max(planted, key=planted.__getitem__)


def test_continue_and_edit_rates(world: World, truth: dict[str, Any]) -> None:
    found = _sums(world.warehouse, "agg_user_actions__daily", "action_name", "event_count")
    trials = sum(_follow_ups(world.warehouse).values())
    cells = {
        name: binomials([(found[name], trials, truth[f"{name}_rate"])])
        for name in ("continue", "edit")
    }
    pooled(cells["continue"], sees=0.04)
    pooled(cells["edit"], sees=0.06)


def _per_chat(world: World, truth: dict[str, Any], actions: Iterable[str]) -> list[Any]:
    found = _sums(world.warehouse, "agg_user_actions__daily", "action_name", "event_count")
    chats = world.truth.expected["chats"]["from_view"]
    return binomials((found[action], chats, truth[f"{action}_rate"]) for action in actions)


def test_reset_follow_and_image_rates(world: World, truth: dict[str, Any]) -> None:
    # Each chat that began with a view ends with them or not.
    cells = _per_chat(world, truth, ("reset", "follow", "image"))
    scores_are_noise(cells, 3)
    pooled(cells, sees=0.08)


def test_bounds_would_see_a_lost_tenth(world: World, truth: dict[str, Any]) -> None:
    """A mart that loses a tenth of the resets, follows and images is not taken for noise."""
    cells = [cell._replace(found=0.9 * cell.found) for cell in
             _per_chat(world, truth, ("reset", "follow", "image"))]  # fmt: skip
    with pytest.raises(AssertionError):
        pooled(cells, sees=0.08)
