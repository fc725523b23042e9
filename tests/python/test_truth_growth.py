"""Growth accounting, active days, survival and stickiness: once more with sets over the shipped sample, and
against what the generator planted in a simulated warehouse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from bounds import SIGMAS, Cell, pooled, recovers, scores_are_noise
from warehouse import Warehouse
from worlds import World

pytestmark = pytest.mark.truth

# Settings as vars.yml ships them; a test that reads them there could not see one that is misread.
CHURN_DAYS = 28
STICKINESS_DAYS = 14
Days = dict[Any, set[int]]


# ---------------------------------------------------------------- the sample, with sets
class People(NamedTuple):
    """Active days of each person as numbers from the first calendar day, 0, to the last one."""

    days: Days
    start: date
    last: int


def _number(start: date, day: date) -> int:
    return (day - start).days


@pytest.fixture(scope="module")
def warehouse(sample: World) -> Warehouse:
    return sample.warehouse


@pytest.fixture(scope="module")
def people(warehouse: Warehouse) -> People:
    start, end = warehouse.query("select min(date_day), max(date_day) from core.dim_dates")[0]
    days = defaultdict(set)
    for person, day in warehouse.query("select person_id, activity_date from growth.fct_user_days"):
        days[person].add(_number(start, day))
    assert len(days) > 300
    return People(dict(days), start, _number(start, end))


def _within(people: People, day: int, window: int) -> set[str]:
    """People active on one of so many days that end with a day."""
    span = range(day - window + 1, day + 1)
    return {person for person, days in people.days.items() if not days.isdisjoint(span)}


def test_growth_accounting_by_sets(warehouse: Warehouse, people: People) -> None:
    told = []
    for window, day in product((1, 7, 28), range(people.last + 1)):
        now, before = _within(people, day, window), _within(people, day - window, window)
        new = {person for person in now if min(people.days[person]) > day - window}
        back = now - before - new
        parts: tuple[int | None, ...] = (
            len(now & before),
            len(back),
            len(before),
            len(before - now),
        )
        told.append((
            people.start + timedelta(day), window,
            *((len(now), len(new)) if day + 1 >= window else (None, None)),
            *(parts if day + 1 >= 2 * window else [None] * 4),
        ))  # fmt: skip
    found = warehouse.contents(
        "growth.agg_growth_accounting__daily",
        ["activity_date", "window_days", "active_user_count", "new_user_count",
         "retained_user_count", "resurrected_user_count", "previous_user_count",
         "churned_user_count"],
    )  # fmt: skip
    assert found == sorted(told, key=lambda row: row[:2])


def test_ratios_of_growth_are_ratios_of_their_counts(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "select gained_user_count, churned_user_count, previous_user_count, net_change, quick_ratio, "
        "churn_rate from growth.agg_growth_accounting__daily where previous_user_count is not null"
    )
    assert len(rows) > 400
    for gained, churned, previous, change, quick, rate in rows:
        assert change == gained - churned
        assert quick == (gained / churned if churned else None)
        assert rate == (churned / previous if previous else None)
    assert any(not churned for _, churned, *_ in rows)


def test_active_days_by_sets(warehouse: Warehouse, people: People) -> None:
    told = []
    for window in (7, 28):
        for day in range(window - 1, people.last + 1):
            span = set(range(day - window + 1, day + 1))
            held = [len(days & span) for days in people.days.values()]
            told += [
                (people.start + timedelta(day), window, count, held.count(count), len(held) - held.count(0))
                for count in range(1, window + 1)
            ]  # fmt: skip
    found = warehouse.contents(
        "growth.agg_active_days__daily",
        ["activity_date", "window_days", "active_days_count", "user_count", "active_user_count"],
    )
    assert found == sorted(told)


def _lifetime(days: set[int], last: int) -> tuple[int, bool] | None:
    """Days until the lapse or the end of the watch, and whether it was a lapse."""
    watched = last - CHURN_DAYS
    if min(days) > watched:
        return None
    for day in sorted(days):
        if day <= watched and days.isdisjoint(range(day + 1, day + CHURN_DAYS + 1)):
            return day - min(days) + 1, True
    return watched - min(days) + 1, False


def _survival(lives: list[tuple[int, bool]]) -> list[tuple[int, int, int, int, float]]:
    """Age, at risk, lapsed, censored and the exact product, at every age."""
    found, left = [], Fraction(1)
    for age in range(max(life for life, _ in lives) + 1):
        at_risk = sum(life >= age for life, _ in lives)
        lapsed = sum(life == age and lapsed for life, lapsed in lives)
        left *= 1 - Fraction(lapsed, at_risk)
        censored = sum(life == age and not lapsed for life, lapsed in lives)
        found.append((age, at_risk, lapsed, censored, float(left)))
    return found


def test_survival_by_hand(warehouse: Warehouse, people: People) -> None:
    roles = dict(warehouse.query("select person_id, role from core.dim_persons"))
    groups: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
    for person, days in people.days.items():
        if life := _lifetime(days, people.last):
            groups["all", "all"].append(life)
            groups["role", roles[person]].append(life)
    told = {
        (*segment, row[0]): row[1:] for segment, lives in groups.items() for row in _survival(lives)
    }
    assert any(row[1] for row in told.values())
    assert any(row[2] for row in told.values())
    found = {
        row[:3]: row[3:]
        for row in warehouse.query(
            "select segment_dimension, segment_value, age_days, at_risk_count, lapsed_count, "
            "censored_count, survival_rate from retention.agg_survival__ages "
            "where segment_dimension in ('all', 'role')"
        )
    }
    assert found.keys() == told.keys()
    for key, row in told.items():
        assert found[key][:3] == row[:3], key
        assert found[key][3] == pytest.approx(row[3], abs=1e-12), key


def test_time_of_cohorts_by_hand(warehouse: Warehouse, people: People) -> None:
    start = people.start
    seconds: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for person, day, ms in warehouse.query(
        "select p.person_id, s.session_date, s.session_ms from "
        "intermediate.int_sessions_aggregated_to_user_days as s "
        "inner join intermediate.int_persons_described as p using (person_key)"
    ):
        seconds[person][_number(start, day)] += ms
    cohorts = defaultdict(list)
    for person, days in people.days.items():
        cohorts[min(days)].append(person)
    told = []
    for first, members in cohorts.items():
        for age in range(people.last - first + 1):
            span = range(first, first + age + 1)
            active = sum(len(people.days[person].intersection(span)) for person in members)
            spent = sum(seconds[person].get(day, 0) for person in members for day in span)
            told.append((start + timedelta(first), age, len(members), active, spent))
    found = warehouse.contents(
        "retention.agg_cohort_time__ages",
        ["cohort_date", "age_days", "cohort_size", "active_days_count", "session_ms"],
    )
    assert found == sorted(told)


def _sticky(start: date, last: int, days: Days) -> dict[date, list[int]]:
    """Members, returners and days with a return by cohort; mature cohorts only."""
    found: dict[date, list[int]] = {}
    for held in days.values():
        first = min(held)
        back = len(held.intersection(range(first + 1, first + STICKINESS_DAYS + 1)))
        if first + STICKINESS_DAYS <= last:
            counts = found.setdefault(start + timedelta(first), [0, 0, 0])
            for place, more in enumerate((1, int(back > 0), back)):
                counts[place] += more
    return found


def test_stickiness_by_sets(warehouse: Warehouse, people: People) -> None:
    start, last = people.start, people.last
    subjects: dict[tuple[str, str], Days] = defaultdict(lambda: defaultdict(set))
    subjects["product", "all"] = dict(people.days)
    versions, tags = defaultdict(list), defaultdict(list)
    for bot, *version in warehouse.query(
        "select bot_id, valid_from_date, valid_to_date, workflow from core.dim_bots"
    ):
        versions[bot].append(version)
    for bot, *period in warehouse.query(
        "select bot_id, valid_from_date, valid_to_date, tag from core.dim_bot_tags"
    ):
        tags[bot].append(period)
    chats = warehouse.query(
        "select d.person_key, b.bot_id, d.event_date from intermediate.int_bot_user_days_human as d "
        "inner join (select distinct bot_key, bot_id from intermediate.int_bots_versioned) as b "
        "using (bot_key) where d.new_message_count > 0"
    )
    for person, bot, day in chats:
        named = [("bot", bot)]
        named += [("workflow", name) for low, high, name in versions[bot] if low <= day <= high]
        named += [("tag", name) for low, high, name in tags[bot] if low <= day <= high]
        for subject in named:
            subjects[subject][person].add(_number(start, day))
    told = [
        (*subject, cohort, *counts, counts[0] * STICKINESS_DAYS)
        for subject, days in subjects.items()
        for cohort, counts in _sticky(start, last, days).items()
    ]
    assert {row[0] for row in told} == {"product", "bot", "workflow", "tag"}
    found = warehouse.contents(
        "retention.agg_stickiness__cohorts",
        ["subject_kind", "subject_id", "cohort_date", "cohort_size", "returner_count",
         "return_days_count", "eligible_days_count"],
    )  # fmt: skip
    assert found == sorted(told)
    # A cohort nobody came back to is there, and the mean is over all its members.
    rows = warehouse.query("select cohort_size, return_days_count, mean_return_days, stickiness_rate "
                           "from retention.agg_stickiness__cohorts")  # fmt: skip
    assert any(back == 0 for _, back, *_ in rows)
    for size, back, mean, rate in rows:
        assert (mean, rate) == (back / size, back / (size * STICKINESS_DAYS))


# ---------------------------------------------------------------- a simulated warehouse, exactly
def test_new_people_of_every_day_are_those_made(world: World) -> None:
    rows = world.warehouse.query(
        "select activity_date, new_user_count, active_user_count "
        "from growth.agg_growth_accounting__daily where window_days = 1"
    )
    told = world.truth.expected
    found = {day.isoformat(): (new, active) for day, new, active in rows}
    assert len(found) == world.truth.settings["days"] - 1
    assert found == {day: (told["new_users"].get(day, 0), told["dau"].get(day, 0)) for day in found}


def test_cohorts_return_at_each_age_as_they_were_made_to(world: World) -> None:
    rows = world.warehouse.query(
        "select age_days, sum(cohort_size), sum(added) from (select *, active_days_count - "
        "lag(active_days_count) over (partition by cohort_date order by age_days) as added "
        "from retention.agg_cohort_time__ages) group by age_days"
    )
    found = {age: (int(size), added) for age, size, added in rows}
    told = {
        int(age): tuple(sum(role[name] for role in roles.values()) for name in ("size", "returned"))
        for age, roles in world.truth.expected["retention"].items()
    }
    told = {age: counts for age, counts in told.items() if counts[0]}
    assert told.keys() >= {1, 3, 7, 14, 30}
    assert {age: (found[age][0], int(found[age][1])) for age in told} == told


# ---------------------------------------------------------------- what was planted
Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """One kind of user: share, daily chance to leave, and to be active on each day while here."""

    share: float
    leave: float
    active: Floats


def _kinds(world: World, cohort: int, ages: int) -> Iterable[Kind]:
    """All kinds among the members who joined on a day, with their activity at ages 0 to so many."""
    planted, settings = world.truth.planted, world.truth.settings
    retention, made = planted["retention"], planted["product"]
    start = date.fromisoformat(settings["start"])
    week = np.array(made["season_monday_first"])
    season = week[(start.weekday() + cohort + np.arange(ages + 1)) % 7]
    low, high = retention["cohort_activity_first_last"]
    level = settings["pace"] * (low + (high - low) * cohort / settings["days"])
    # Those who sign up in the retention experiment are more active in one of its halves.
    arms = [(1.0, 1.0)]
    for trial in planted["experiments"]:
        for phase in trial["phases"] if trial["target"] == "activity" else ():
            bounds = (_number(start, date.fromisoformat(phase[key])) for key in ("start", "end"))
            if cohort in range(*bounds):
                arms = list(zip(phase["actual"], trial["effects"].values(), strict=True))
    classes = zip(
        retention["class_share"], retention["daily_leave"], retention["daily_active"], strict=True
    )
    roles = [(share, made["role_activity"][role]) for role, share in made["role_share"].items()]
    for (share, leave, active), (role, more), (arm, lift) in product(classes, roles, arms):
        yield Kind(share * role * arm, leave, np.minimum(1, active * more * lift * level * season))


def _returns(kind: Kind) -> tuple[float, float, float]:
    """Mean and mean square of the number of days with a return, and the chance of none."""
    ages = np.arange(1, STICKINESS_DAYS + 1)
    active = kind.active[ages]
    here = (1 - kind.leave) ** ages
    # Both on day i and on a later day j: still here on j, and active on each.
    both = np.triu(active[:, None] * active[None, :] * here[None, :], 1).sum()
    mean, none = float((here * active).sum()), 1.0
    for chance in active[::-1]:
        none = kind.leave + (1 - kind.leave) * (1 - chance) * none
    return mean, mean + 2 * float(both), none


def _cohorts(world: World) -> list[tuple[int, int, int, int]]:
    """Day, members, returners and days with a return of the product's cohorts."""
    start = date.fromisoformat(world.truth.settings["start"])
    rows = world.warehouse.query(
        "select cohort_date, cohort_size, returner_count, return_days_count "
        "from retention.agg_stickiness__cohorts where subject_kind = 'product' order by 1"
    )
    return [(_number(start, day), *map(int, counts)) for day, *counts in rows]


def test_stickiness_follows_the_planted_retention(world: World) -> None:
    days, returners = [], []
    for cohort, size, back, total in _cohorts(world):
        kinds = list(_kinds(world, cohort, STICKINESS_DAYS))
        told = [(kind.share, *_returns(kind)) for kind in kinds]
        mean, square, none = (sum(row[0] * row[place] for row in told) for place in (1, 2, 3))
        days.append(Cell(total, size * mean, size * (square - mean**2)))
        returners.append(Cell(back, size * (1 - none), size * none * (1 - none)))
    # Members are independent, their days are not: the variance is that of a member's whole fortnight.
    scores_are_noise(days, 50)
    pooled(days, sees=0.05)
    # A cohort is too small to judge its share of returners by itself.
    pooled(returners, sees=0.03)


def _lapses(kind: Kind, ages: int) -> Floats:
    """Chance to lapse at each age from 1 on.

    A lapse is an active day after which there is none for the length of a silence. A silence while still
    here that ends in a return has a chance below 1 in 1,000 and is left out.
    """
    active, silent = kind.active, np.ones(ages)
    for age in range(ages):
        for chance in active[age + CHURN_DAYS : age : -1]:
            silent[age] = kind.leave + (1 - kind.leave) * (1 - chance) * silent[age]
    here = (1 - kind.leave) ** np.arange(ages) * np.concatenate([[1.0], active[1:ages]])
    return np.asarray(here * silent)


def test_survival_follows_the_planted_stay(world: World) -> None:
    rows = world.warehouse.query(
        "select age_days, lapsed_count, survival_rate, survival_standard_error "
        "from retention.agg_survival__ages where segment_dimension = 'all' order by age_days"
    )
    start = date.fromisoformat(world.truth.settings["start"])
    watched = _number(start, date.fromisoformat(world.truth.expected["as_of"])) - CHURN_DAYS
    told = world.truth.expected["new_users"]
    mean, variance, at_risk = (np.zeros(watched + 2) for _ in range(3))
    for cohort in range(watched + 1):
        size, ages = told[(start + timedelta(cohort)).isoformat()], watched - cohort + 1
        kinds = list(_kinds(world, cohort, ages + CHURN_DAYS))
        chance = sum((kind.share * _lapses(kind, ages) for kind in kinds), np.zeros(ages))
        mean[1 : ages + 1] += size * chance
        variance[1 : ages + 1] += size * chance * (1 - chance)
        at_risk[1 : ages + 1] += size * (1 - np.concatenate([[0.0], np.cumsum(chance)[:-1]]))
    assert len(rows) == watched + 2
    found = [row[1] for row in rows]
    cells = [Cell(*cell) for cell in zip(found, mean.tolist(), variance.tolist(), strict=True)]
    scores_are_noise(cells, 8)
    # Who never came back after the first day, and everybody who lapsed: at most one lapse a person, so the
    # variance of the sum is smaller than the sum of the variances.
    recovers(*cells[1], sees=0.12)
    pooled(cells[1:], sees=0.08)
    planted = np.cumprod(1 - np.divide(mean, at_risk, out=np.zeros_like(mean), where=at_risk > 0))
    for age in (1, 3, 7, 14, 30):
        _, _, survival, error = rows[age]
        assert SIGMAS * error < 0.04
        assert abs(survival - planted[age]) <= SIGMAS * error, age


def test_stays_of_roles_are_in_the_planted_order(world: World) -> None:
    planted: dict[str, float] = world.truth.planted["product"]["role_activity"]
    rows = world.warehouse.query(
        "select segment_value, survival_rate, survival_standard_error from retention.agg_survival__ages "
        "where segment_dimension = 'role' and age_days = 1"
    )
    assert {role for role, *_ in rows} == planted.keys()
    order: Callable[[str], float] = planted.__getitem__
    found = {role: (rate, error) for role, rate, error in rows}
    low, *_, high = sorted(planted, key=order)
    # Who comes more often has more often come twice.
    reach = sqrt(found[low][1] ** 2 + found[high][1] ** 2)
    assert found[high][0] > found[low][0] - SIGMAS * reach
