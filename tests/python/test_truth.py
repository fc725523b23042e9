"""A simulated warehouse of about a million events: the marts count exactly what was made, and what was
planted behind it comes back within its sampling error (see bounds.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from math import exp, log, sqrt
from typing import NamedTuple

import pytest

from bounds import (
    ENOUGH,
    SIGMAS,
    Cell,
    binomials,
    family_bound,
    pooled,
    scores_are_noise,
)
from plumbline.contract import table
from recovered import EXACT, retained
from worlds import World

pytestmark = pytest.mark.truth


@pytest.mark.parametrize("name", EXACT)
def test_marts_equal_the_truth(world: World, name: str) -> None:
    found, told = EXACT[name](world.warehouse, world.truth)
    assert told
    assert found == told


def test_bounds_see_what_they_are_for() -> None:
    """A hundred bots of 2,000 impressions: right counts pass, 3 % off fail, and so does one bad bot."""
    right = [(200.0, 2000.0, 0.1)] * 100
    scores_are_noise(binomials(right), 100)
    pooled(binomials(right), sees=0.03)
    with pytest.raises(AssertionError):
        pooled(binomials([(1.031 * found, n, p) for found, n, p in right]), sees=0.03)
    with pytest.raises(AssertionError):
        scores_are_noise(binomials([*right[1:], (300.0, 2000.0, 0.1)]), 100)
    with pytest.raises(AssertionError, match="too few"):
        pooled(binomials(right[:10]), sees=0.03)


# ---------------------------------------------------------------- bots
class BotDays(NamedTuple):
    """Sums of the bot mart, and what was planted for the bot."""

    impressions: int
    clicks: int
    viewers: int
    starters: int
    ctr: float
    starts: float
    is_weak: bool


@pytest.fixture(scope="session")
def bots(world: World) -> dict[str, BotDays]:
    planted = world.truth.planted["bots"]
    places = {bot: place for place, bot in enumerate(planted["bot_id"])}
    rows = world.warehouse.query(
        "select bot_id, sum(impression_count), sum(clicked_impression_count), sum(viewer_count), "
        "sum(chat_starter_count) from engagement.agg_bot_engagement__daily group by bot_id"
    )
    return {
        bot: BotDays(
            *map(int, counts), planted["ctr"][places[bot]], planted["starts_expected"][places[bot]],
            bot in planted["weak"],
        )
        for bot, *counts in rows
    }  # fmt: skip


def _clicks(bots: Iterable[BotDays]) -> list[tuple[float, float, float]]:
    return [(bot.clicks, bot.impressions, bot.ctr) for bot in bots if bot.impressions]


def test_click_through_of_every_bot(bots: dict[str, BotDays]) -> None:
    # Each impression is clicked with its bot's chance, independently: binomial.
    cells = binomials(_clicks(bots.values()))
    scores_are_noise(cells, 100)
    # 400,000 impressions: attribution that loses or doubles 2.5 % of the clicks is seen at once.
    pooled(cells, sees=0.025)


def test_weak_bots_click_least(bots: dict[str, BotDays]) -> None:
    weak = [bot for bot in bots.values() if bot.is_weak]
    assert weak
    # 0.3 of the clicks of an ordinary bot; fewer clicks, so a wider bound.
    pooled(binomials(_clicks(weak)), sees=0.10)
    # Order: two bots whose planted chances are further apart than five deviations of the difference of
    # their rates stand in the mart in that order.
    rated = [bot for bot in bots.values() if bot.impressions * bot.ctr * (1 - bot.ctr) >= ENOUGH]
    apart = 0
    for low in rated:
        for high in rated:
            error = sum(bot.ctr * (1 - bot.ctr) / bot.impressions for bot in (low, high))
            if high.ctr - low.ctr > 5 * sqrt(error):
                apart += low.is_weak
                assert low.clicks / low.impressions < high.clicks / high.impressions
    assert apart > 100
    # So do the weak ones as a whole, by far.
    others = [bot for bot in rated if not bot.is_weak]
    rates = [
        sum(b.clicks for b in group) / sum(b.impressions for b in group) for group in (weak, others)
    ]
    assert rates[0] < 0.5 * rates[1]


def test_chat_starts_of_every_bot(bots: dict[str, BotDays]) -> None:
    # A person-day that looks at a bot starts a chat or not: the sum of Bernoulli draws with the planted
    # chances. With mean chance p its variance is at most n p (1 - p): the bound errs to the wide side.
    seen = [bot for bot in bots.values() if bot.viewers]
    cells = binomials((bot.starters, bot.viewers, bot.starts / bot.viewers) for bot in seen)
    scores_are_noise(cells, 75)
    pooled(cells, sees=0.025)


# ---------------------------------------------------------------- people
def test_retention_by_age_and_role(world: World) -> None:
    # A member of a cohort is active on the day of an age or not; members are independent, their planted
    # chances and the variance of the sum stand in the truth.
    told = {
        (int(age), role): counts
        for age, roles in world.truth.expected["retention"].items()
        for role, counts in roles.items()
        if counts["size"]
    }
    found = retained(world.warehouse, sorted({age for age, _ in told}))
    cells = {key: Cell(found[key][1], told[key]["expected"], told[key]["variance"]) for key in told}
    assert {age for age, _ in cells} >= {1, 3, 7, 14, 30}
    bound = family_bound(len(cells))
    assert all(abs(cell.score) <= bound for cell in cells.values()), cells
    # The roles of one age together; their members are other people. Fewer come back later.
    for age, sees in ((1, 0.06), (3, 0.065), (7, 0.08)):
        pooled([cell for (n, _), cell in cells.items() if n == age], sees)


def _new_users(world: World) -> list[int]:
    rows = world.warehouse.query(
        "select first, count(*) from (select min(activity_date) as first from growth.fct_user_days "
        "group by person_id) group by first"
    )
    counts = {day: int(count) for day, count in rows}
    start, last = _calendar(world)
    return [counts.get(start + timedelta(days=n), 0) for n in range((last - start).days + 1)]


def _calendar(world: World) -> tuple[date, date]:
    start = date.fromisoformat(world.truth.settings["start"])
    return start, date.fromisoformat(world.truth.expected["as_of"])


def _shares(world: World, growth: float) -> list[float]:
    """Planted share of every complete day among the sign-ups, for some growth."""
    start, last = _calendar(world)
    season = world.truth.planted["growth"]["sign_up_season_monday_first"]
    days = range((last - start).days + 1)
    weights = [
        growth ** (n / world.truth.settings["days"]) * season[(start.weekday() + n) % 7]
        for n in days
    ]
    return [weight / sum(weights) for weight in weights]


def test_sign_up_growth_and_season(world: World) -> None:
    new = _new_users(world)
    people, planted = sum(new), world.truth.planted["growth"]["sign_up_growth"]
    shares = _shares(world, planted)
    # Given their number, sign-ups fall on days as a multinomial: days - 1 degrees of freedom.
    misfit = sum(
        (n - people * share) ** 2 / (people * share) for n, share in zip(new, shares, strict=True)
    )
    freedom = len(new) - 1
    assert misfit <= freedom + 5 * sqrt(2 * freedom)
    # Growth: the one for which the mean sign-up day comes out right (maximum likelihood, as log growth is
    # the natural parameter). Its error is 1 / sqrt(people x variance of the day in units of the run).
    run = world.truth.settings["days"]
    seen = sum(day * n for day, n in enumerate(new)) / people / run

    def mean_day(growth: float) -> float:
        return sum(day * share for day, share in enumerate(_shares(world, growth))) / run

    low, high = log(0.2), log(20.0)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_day(exp(middle)) < seen else (low, middle)
    mean = mean_day(planted)
    variance = sum((day / run - mean) ** 2 * share for day, share in enumerate(shares))
    error = 1 / sqrt(people * variance)
    assert SIGMAS * error < 0.2
    assert abs(low - log(planted)) <= SIGMAS * error
    # Weekdays: each takes its planted share, binomial.
    start, _ = _calendar(world)
    by_weekday, told = Counter[int](), Counter[int]()
    for day, (n, share) in enumerate(zip(new, shares, strict=True)):
        weekday = (start.weekday() + day) % 7
        by_weekday[weekday] += n
        told[weekday] += share  # type: ignore[assignment]
    scores_are_noise(binomials((by_weekday[day], people, told[day]) for day in range(7)), 7)


def test_activity_follows_the_week(world: World) -> None:
    start, last = _calendar(world)
    rows = world.warehouse.query(
        "select activity_date, daily_active_users from growth.agg_active_users__daily order by 1"
    )
    new = _new_users(world)
    back = [int(count) - new[(day - start).days] for day, count in rows]
    season = world.truth.planted["product"]["season_monday_first"]
    level = sum(season) / 7
    # Against the mean of the seven days around it a day shows its season: how many people there are moves
    # slowly and cancels. From the third week on, when it no longer bends. People who come back are a sum of
    # Bernoulli draws, so a count's variance is below its mean A; the seven-day mean holds a seventh of the
    # same draws: relative variance (1 - 2/7 + 1/7) / A < 1 / A.
    actual, usual = Counter[int](), Counter[int]()
    for place in range(14, (last - start).days - 2):
        weekday = (start.weekday() + place) % 7
        actual[weekday] += back[place]
        usual[weekday] += sum(back[place - 3 : place + 4]) / 7  # type: ignore[assignment]
    bound = family_bound(7)
    for weekday in range(7):
        error = 1 / sqrt(actual[weekday])
        assert bound * error < 0.06
        ratio = actual[weekday] / usual[weekday] * level / season[weekday]
        assert abs(log(ratio)) <= bound * error, (weekday, ratio)
    # Saturday is the quietest day by a tenth: flat weeks would not pass.
    assert actual[5] / usual[5] < 0.95


def test_machines_are_left_out_and_their_share_is_shown(world: World) -> None:
    rows = world.warehouse.query(
        "select daily_active_users, automated_user_day_count, automated_user_day_rate "
        "from growth.agg_active_users__daily"
    )
    for people, machines, rate in rows:
        assert rate == (machines / (machines + people) if machines + people else None)
    told = world.truth.expected
    machines = sum(row[1] for row in rows)
    people = sum(row[0] for row in rows)
    assert machines > 0
    assert (machines, people) == (told["automated_user_days"], told["user_days"])
    # No user-day of a person breaks a limit; every user-day of a machine does.
    message = (table("events").by_name["event_name"].known or []).index("message_sent") + 1
    rows = world.warehouse.query(f"""
        with minutes as (
            select person_key, event_date, date_trunc('minute', event_at), count(*) as messages
            from intermediate.int_events_resolved where event_code = {message} group by all
        ), busiest as (
            select person_key, event_date, max(messages) as messages from minutes group by all
        )
        select is_automated, coalesce(messages, 0) > 20 or event_count > 2000 as breaks, count(*)
        from intermediate.int_user_days_classified
        left join busiest using (person_key, event_date)
        group by all""")
    assert {(machine, breaks) for machine, breaks, _ in rows} == {(False, False), (True, True)}
