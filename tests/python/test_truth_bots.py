"""Scores, alerts and groups on the simulated warehouse: sums recounted by hand, weak bots found, the planted
order of click-through and the planted kinds of people recovered.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.stats import spearmanr

from plumbline.simulate.settings import Settings
from plumbline.simulate.world import CLASSES, draw_bots, draw_users
from worlds import World

pytestmark = pytest.mark.truth

WINDOW, STICKINESS = 28, 14
INDICATORS = (
    "click_through", "chat_start", "depth_per_user_day", "depth_per_user", "stickiness",
    "day_7_retention",
)  # fmt: skip


# ---------------------------------------------------------------- a second opinion on the sums
@pytest.fixture(scope="module")
def met(world: World) -> list[tuple[Any, ...]]:
    """Person, bot, day and what happened, of days that count."""
    return world.warehouse.query(
        "select d.person_key, b.bot_id, d.event_date, d.impression_count, d.clicked_impression_count, "
        "d.view_count, d.is_chat_start, d.new_message_count "
        "from intermediate.int_events_aggregated_to_bot_user_days as d "
        "inner join intermediate.int_bots_versioned as b on d.bot_key = b.bot_key and b.is_current "
        "where d.event_date <= (select as_of_date from intermediate.int_as_of) and not exists ("
        "select 1 from intermediate.int_user_days_excluded as x "
        "where x.person_key = d.person_key and x.event_date = d.event_date)"
    )


def _recounted(met: list[tuple[Any, ...]], day: date) -> dict[tuple[str, str], tuple[int, int]]:
    """Numerator and denominator of every bot and indicator, by the words of the definition."""
    above: Counter[tuple[str, str]] = Counter()
    below: Counter[tuple[str, str]] = Counter()
    chats: dict[tuple[int, str], list[date]] = {}
    writers: set[tuple[int, str]] = set()
    bots: set[str] = set()
    start = day - timedelta(days=WINDOW)
    for person, bot, on, shown, clicked, viewed, starts, messages in met:
        if messages > 0:
            chats.setdefault((person, bot), []).append(on)
        if not start < on <= day:
            continue
        bots.add(bot)
        above[bot, "click_through"] += clicked
        below[bot, "click_through"] += shown
        above[bot, "chat_start"] += starts
        below[bot, "chat_start"] += viewed > 0
        above[bot, "depth_per_user_day"] += messages
        below[bot, "depth_per_user_day"] += messages > 0
        above[bot, "depth_per_user"] += messages
        if messages > 0 and (person, bot) not in writers:
            writers.add((person, bot))
            below[bot, "depth_per_user"] += 1
    for (_, bot), days in chats.items():
        first, ages = min(days), {(on - min(days)).days for on in days}
        if start < first + timedelta(days=STICKINESS) <= day:
            above[bot, "stickiness"] += len(ages & set(range(1, STICKINESS + 1)))
            below[bot, "stickiness"] += STICKINESS
        if start < first + timedelta(days=7) <= day:
            above[bot, "day_7_retention"] += 7 in ages
            below[bot, "day_7_retention"] += 1
    return {
        (bot, name): (above[bot, name], below[bot, name]) for bot in bots for name in INDICATORS
    }


@pytest.mark.parametrize("back", [0, 9, 46])
def test_sums_of_the_trailing_window(world: World, met: list[tuple[Any, ...]], back: int) -> None:
    day = date.fromisoformat(world.truth.expected["as_of"]) - timedelta(days=back)
    rows = world.warehouse.query(
        "select bot_id, indicator, numerator_count, denominator_count "
        f"from engagement.fct_bot_indicators where score_date = date '{day}'"
    )
    found = {(bot, name): (above, below) for bot, name, above, below in rows}
    assert len(found) == len(rows)
    assert found == _recounted(met, day)


def test_the_first_score_has_a_whole_window(world: World) -> None:
    start = date.fromisoformat(world.truth.settings["start"])
    as_of = date.fromisoformat(world.truth.expected["as_of"])
    (found,) = world.warehouse.query(
        "select min(score_date), max(score_date), count(distinct score_date) from engagement.fct_bot_ranks"
    )
    first = start + timedelta(days=WINDOW - 1)
    assert found == (first, as_of, (as_of - first).days + 1)


# ---------------------------------------------------------------- weak bots
class Rated(NamedTuple):
    """A bot on the last day: what was planted, what was estimated, what was said."""

    bot: str
    planted: float
    impressions: int
    shrunk: float
    low: float
    high: float
    is_ranked: bool
    is_weak: bool
    reasons: frozenset[str]


@pytest.fixture(scope="module")
def rated(world: World) -> list[Rated]:
    planted = world.truth.planted["bots"]
    chance = dict(zip(planted["bot_id"], planted["ctr"], strict=True))
    rows = world.warehouse.query(
        "select i.bot_id, i.denominator_count, i.shrunk_value, i.credible_low, i.credible_high, "
        "r.is_ranked, list(a.reason_code) from engagement.fct_bot_indicators as i "
        "inner join engagement.fct_bot_ranks as r using (bot_id, score_date) "
        "left join engagement.fct_bot_alerts as a using (bot_id, score_date) "
        "where i.indicator = 'click_through' and i.denominator_count > 0 "
        "and i.score_date = (select max(score_date) from engagement.fct_bot_ranks) group by all"
    )
    return [
        Rated(
            bot, chance[bot], shown, shrunk, low, high, is_ranked, bot in planted["weak"],
            frozenset(filter(None, reasons)),
        )
        for bot, shown, shrunk, low, high, is_ranked, reasons in rows
    ]  # fmt: skip


def test_the_planted_order_of_click_through_comes_back(rated: list[Rated]) -> None:
    for least, correlation in ((0, 0.85), (1000, 0.93)):
        seen = [bot for bot in rated if bot.impressions >= least]
        assert len(seen) >= 40
        assert spearmanr([b.planted for b in seen], [b.shrunk for b in seen])[0] > correlation
    held = np.mean([bot.low <= bot.planted <= bot.high for bot in rated])
    # 95 % of about 200 independent bots, five deviations.
    assert held > 0.95 - 5 * (0.95 * 0.05 / len(rated)) ** 0.5


def test_weak_bots_are_warned_of_and_most_others_are_not(rated: list[Rated]) -> None:
    ranked = [bot for bot in rated if bot.is_ranked]
    weak = [bot for bot in ranked if bot.is_weak]
    assert weak
    below = {"click_through_below_market", "chat_start_below_market"}
    # What is planted at 0.3 of its nature may still be near the market; whoever is far below it is found.
    market = np.quantile([bot.planted for bot in ranked], 0.25)
    assert all(bot.reasons & below for bot in weak if bot.planted < 0.8 * market)
    assert np.mean([bool(bot.reasons & below) for bot in weak]) >= 0.8
    others = [bot for bot in ranked if not bot.is_weak]
    flagged = [bot for bot in others if "click_through_below_market" in bot.reasons]
    # At most a quarter can lie below the 25th percentile; who is flagged does.
    assert len(flagged) <= 0.25 * len(others)
    assert sum(bot.planted > market for bot in flagged) <= 1
    assert all(not bot.reasons for bot in rated if not bot.is_ranked)


def test_low_chat_starts_are_warned_of(world: World) -> None:
    planted = world.truth.planted["bots"]
    chance = dict(zip(planted["bot_id"], planted["chat_start"], strict=True))
    rows = world.warehouse.query(
        "select r.bot_id, bool_or(coalesce(a.reason_code, '') = 'chat_start_below_market') "
        "from engagement.fct_bot_ranks as r left join engagement.fct_bot_alerts as a "
        "using (bot_id, score_date) where r.is_ranked "
        "and r.score_date = (select max(score_date) from engagement.fct_bot_ranks) group by r.bot_id"
    )
    flagged = [chance[bot] for bot, warned in rows if warned]
    assert flagged
    assert np.mean(flagged) < 0.65 * np.mean([chance[bot] for bot, warned in rows if not warned])
    assert max(flagged) < np.median([chance[bot] for bot, _ in rows])


# ---------------------------------------------------------------- kinds of people
@pytest.fixture(scope="module")
def kinds(world: World) -> dict[str, tuple[str, bool]]:
    """Planted class of each person, and whether the person had left for good by the last complete day."""
    said = dict(world.truth.settings)
    said["start"], said["tables"] = date.fromisoformat(said["start"]), tuple(said["tables"])
    settings = Settings(**said)
    users = draw_users(settings, draw_bots(settings))
    last = (settings.as_of - settings.start).days
    return {
        person: (CLASSES[kind], bool(leaves <= last))
        for person, kind, leaves in zip(
            users.ids.to_pylist(), users.klass, users.leaves, strict=True
        )
    }


def test_groups_of_people_are_the_planted_kinds(
    world: World, kinds: dict[str, tuple[str, bool]]
) -> None:
    rows = world.warehouse.query(
        "select person_id, cluster_number, cluster_reason, stability from engagement.dim_user_segments"
    )
    assert {reason for _, _, reason, _ in rows} == {"stable"}
    assert min(stability for *_, stability in rows) >= 0.6
    groups: dict[int, list[tuple[str, bool]]] = {}
    for person, number, *_ in rows:
        if person in kinds:
            groups.setdefault(number, []).append(kinds[person])
    assert sum(map(len, groups.values())) > 0.95 * len(rows)
    numbers = sorted(groups)
    heavy = [np.mean([kind == "heavy" for kind, _ in groups[n]]) for n in numbers]
    left_casual = [
        np.mean([kind == "casual" and left for kind, left in groups[n]]) for n in numbers
    ]
    # Group 1 has the most active days. One in five people is heavy.
    assert heavy[0] > 0.4
    assert heavy[-1] < 0.1
    assert left_casual[-1] > 0.6
    assert left_casual[0] < 0.1
    # In between the shares fall and rise; groups that differ by less than 0.1 are of one kind.
    assert all(later < earlier + 0.1 for earlier, later in pairwise(heavy))
    assert all(later > earlier - 0.1 for earlier, later in pairwise(left_casual))


def test_stages_of_life_tell_who_left(world: World, kinds: dict[str, tuple[str, bool]]) -> None:
    rows = world.warehouse.query(
        "select person_id, lifecycle_stage from engagement.dim_user_segments"
    )
    stages: dict[str, list[tuple[str, bool]]] = {}
    for person, stage in rows:
        if person in kinds:
            stages.setdefault(stage, []).append(kinds[person])
    left = {stage: np.mean([gone for _, gone in people]) for stage, people in stages.items()}
    heavy = {
        stage: np.mean([kind == "heavy" for kind, _ in people]) for stage, people in stages.items()
    }
    assert left["power"] < left["engaged"] < left["at_risk"] < left["churned"]
    assert left["churned"] > 0.95
    assert left["activated"] < 0.3
    assert heavy["power"] > 0.7
    assert heavy["churned"] < 0.1
