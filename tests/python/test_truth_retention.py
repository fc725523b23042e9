"""Retention, counted a second time: every cell by loops over the user-days of the sample, and what was
planted into the simulated world by age and role.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import sqrt
from pathlib import Path
from statistics import NormalDist, stdev
from typing import NamedTuple

import pytest

from bounds import Cell, family_bound, pooled
from conftest import ROOT, dbt_runner
from warehouse import Warehouse
from worlds import World

Z = NormalDist().inv_cdf(0.975)
HORIZON = 56
COHORTS = "retention.agg_retention__cohorts"
CELL = (
    "cohort_grain, cohort_date, segment_dimension, segment_value, retention_kind, first_day, last_day, "
    "cohort_size, returned_count"
)


class Window(NamedTuple):
    """Active on at least one of the days first to last."""

    kind: str
    first: int
    last: int


class Person(NamedTuple):
    """Somebody ever active."""

    days: set[date]
    first: date
    segments: dict[str, str]

    def returned(self, window: Window) -> bool:
        """Day by day, without arithmetic on counts."""
        ages = range(window.first, window.last + 1)
        return any(self.first + timedelta(days=age) in self.days for age in ages)


Key = tuple[str, date, str, str, Window]
Count = tuple[int, int]


def named_windows(for_bots: bool = False) -> dict[Window, str]:
    path = ROOT / "seeds" / "reference" / "retention_windows.csv"
    found = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        if not for_bots or row["is_for_bots"] == "true":
            last = HORIZON if row["retention_kind"] == "rolling" else int(row["last_day"])
            found[Window(row["retention_kind"], int(row["first_day"]), last)] = row["window_name"]
    return found


def all_windows(oldest: int) -> set[Window]:
    """Everything that is asked of everybody together."""
    return (
        {Window("exact", age, age) for age in range(oldest + 1)}
        | {Window("rolling", age, HORIZON) for age in range(HORIZON + 1)}
        | {Window("bracket", age, age + 6) for age in range(0, oldest + 1, 7)}
        | set(named_windows())
    )


@pytest.fixture(scope="module")
def warehouse(sample: World) -> Warehouse:
    return sample.warehouse


@pytest.fixture(scope="module")
def as_of(sample: World) -> date:
    return date.fromisoformat(sample.truth.expected["as_of"])


@pytest.fixture(scope="module")
def people(warehouse: Warehouse) -> list[Person]:
    days = defaultdict(set)
    for person, day in warehouse.query("select person_id, activity_date from growth.fct_user_days"):
        days[person].add(day)
    # Country and platform are those of the first active day; the account has the rest.
    names = ("role", "country", "platform", "language", "acquisition_channel")
    rows = warehouse.query(
        "select dim.person_id, dim.role, first.country, first.platform, dim.language, "
        "dim.acquisition_channel from core.dim_persons as dim "
        "inner join intermediate.int_persons_described as keys using (person_id) "
        "inner join intermediate.int_persons_cohorted as first using (person_key)"
    )
    assert len(rows) == len(days)
    return [
        Person(
            days[person],
            min(days[person]),
            {"all": "all", **dict(zip(names, values, strict=True))},
        )
        for person, *values in rows
    ]


def cells_by_definition(people: Iterable[Person], as_of: date) -> dict[Key, Count]:
    """Every cell that is over, by the definition."""
    members: dict[tuple[str, date, str, str], list[Person]] = defaultdict(list)
    for person in people:
        monday = person.first - timedelta(days=person.first.weekday())
        for dimension, value in person.segments.items():
            members["day", person.first, dimension, value].append(person)
            members["week", monday, dimension, value].append(person)
    oldest = max((as_of - day).days for _, day, *_ in members)
    everything, named = all_windows(oldest), named_windows()
    found = {}
    for (grain, day, dimension, value), cohort in members.items():
        youngest = (as_of - day).days - (6 if grain == "week" else 0)
        for window in everything if dimension == "all" else named:
            if window.last <= youngest:
                back = sum(person.returned(window) for person in cohort)
                found[grain, day, dimension, value, window] = (len(cohort), back)
    return found


@pytest.fixture(scope="module")
def cells(people: list[Person], as_of: date) -> dict[Key, Count]:
    return cells_by_definition(people, as_of)


def stored_cells(warehouse: Warehouse, where: str = "true") -> dict[Key, Count]:
    rows = warehouse.query(f"select {CELL} from {COHORTS} where {where}")
    return {
        (grain, day, dimension, value, Window(kind, first, last)): (size, back)
        for grain, day, dimension, value, kind, first, last, size, back in rows
    }


# ---------------------------------------------------------------- cohorts
def test_every_exact_bracket_and_rolling_cell_by_loops(
    warehouse: Warehouse, cells: dict[Key, Count]
) -> None:
    """The same cells and no others: what is not over is no row, and a window of nobody is 0."""
    assert stored_cells(warehouse) == cells
    kinds = {(key[0], key[4].kind, key[2] == "all") for key in cells}
    assert len(kinds) == 12
    assert any(back == 0 for _, back in cells.values())
    assert any(0 < back < size for size, back in cells.values())


def test_a_cohort_two_days_old_has_no_day_7(warehouse: Warehouse, as_of: date) -> None:
    young = f"cohort_date > date '{as_of}' - 7"
    assert warehouse.query(
        f"select count(*) > 0 from {COHORTS} where {young} and first_day = 0"
    ) == [(True,)]
    assert warehouse.query(f"select count(*) from {COHORTS} where {young} and last_day >= 7") == [
        (0,)
    ]
    rows = warehouse.query(
        "select d1_returned_count is null, d7_returned_count, d7_retention_rate "
        f"from retention.agg_new_user_retention__daily where {young} order by cohort_date"
    )
    assert rows == [(n == 6, None, None) for n in range(7)]


def test_wilson_bounds_are_where_the_score_test_turns(warehouse: Warehouse) -> None:
    """By its definition the interval holds the chances that the score test does not reject."""
    rows = warehouse.query(
        "select distinct cohort_size, returned_count, retention_rate, retention_rate_low, "
        f"retention_rate_high from {COHORTS} union select cohort_size, returned_count, retention_rate, "
        "retention_rate_low, retention_rate_high from retention.agg_retention__pooled"
    )
    assert len(rows) > 100
    for size, back, rate, low, high in rows:
        assert rate == back / size
        assert 0 <= low <= rate <= high <= 1
        assert (low == 0) == (back == 0)
        assert (high == 1) == (back == size)
        for bound in {low, high} - {0, 1}:
            score = abs(rate - bound) / sqrt(bound * (1 - bound) / size)
            assert score == pytest.approx(Z, rel=1e-9)


def test_names_of_windows_are_those_of_the_seed(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        f"select distinct retention_kind, first_day, last_day, window_name from {COHORTS}"
    )
    names = {Window(*window): name for *window, name in rows}
    assert {window: names[window] for window in named_windows()} == named_windows()
    assert names[Window("exact", 2, 2)] == "d2"
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("scope", ["all", "trailing_28_days"])
def test_pooled_retention_by_loops(
    warehouse: Warehouse, cells: dict[Key, Count], as_of: date, scope: str
) -> None:
    told: dict[tuple[str, str, Window], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (grain, day, dimension, value, window), (size, back) in cells.items():
        mature_for = (as_of - day).days - window.last
        if grain == "day" and (scope == "all" or mature_for < 28):
            sums = told[dimension, value, window]
            told[dimension, value, window] = [sums[0] + size, sums[1] + back, sums[2] + 1]
    rows = warehouse.query(
        "select segment_dimension, segment_value, retention_kind, first_day, last_day, cohort_size, "
        f"returned_count, cohort_count from retention.agg_retention__pooled where cohort_scope = '{scope}'"
    )
    assert {
        (dimension, value, Window(kind, first, last)): counts
        for dimension, value, kind, first, last, *counts in rows
    } == told


def test_new_user_retention_of_every_day_by_loops(
    warehouse: Warehouse, people: list[Person], as_of: date
) -> None:
    for age in (1, 3, 7, 14, 30):
        rows = warehouse.query(
            f"select cohort_date, new_user_count, d{age}_returned_count, d{age}_retention_rate "
            "from retention.agg_new_user_retention__daily"
        )
        assert max(day for day, *_ in rows) == as_of
        for day, new, back, rate in rows:
            cohort = [person for person in people if person.first == day]
            returned = sum(day + timedelta(days=age) in person.days for person in cohort)
            told = returned if day + timedelta(days=age) <= as_of else None
            assert (new, back) == (len(cohort), told)
            assert rate == (None if told is None or not cohort else told / new)


def test_a_mature_cell_never_changes_with_a_later_as_of(
    warehouse: Warehouse, as_of: date, tmp_path: Path
) -> None:
    """Built as of 20 days earlier: what was over then says the same now, and nothing else was there."""
    earlier = as_of - timedelta(days=20)
    other = Warehouse(tmp_path, dbt_runner(tmp_path), warehouse.lake)
    shutil.copyfile(warehouse.database, other.database)
    other.dbt(
        "run",
        "--select", "int_as_of", "int_dates_spined", "int_persons_cohorted", "int_bot_chat_days_aged",
        "int_active_days_aged+", "int_retention_windows_listed+",
        env={"PLUMBLINE_AS_OF": earlier.isoformat()},
    )  # fmt: skip
    now, then = stored_cells(warehouse), stored_cells(other)
    over = {
        key: count
        for key, count in now.items()
        if key[1] + timedelta(days=key[4].last + (6 if key[0] == "week" else 0)) <= earlier
    }
    assert 1000 < len(then) < len(now)
    assert then == over
    for mart, key, last in (
        ("agg_bot_retention__cohorts", "bot_id, cohort_date, window_name", "cohort_date + last_day::integer"),
        ("agg_active_user_retention__weekly", "week_start_date, lag_days",
         "week_start_date + 6 + lag_days::integer"),
    ):  # fmt: skip
        columns = f"{key}, * exclude (is_final)"
        rows = (
            f"select {columns} from retention.{mart} where {last} <= date '{earlier}' order by all"
        )
        assert other.query(rows)
        assert other.query(rows) == warehouse.query(rows)
        assert other.query(
            f"select count(*) from retention.{mart} where {last} > date '{earlier}'"
        ) == [(0,)]


# ---------------------------------------------------------------- people already active
def followed_shares(
    people: Iterable[Person], as_of: date
) -> dict[tuple[date, int], list[Fraction]]:
    """Share of the active days of a week that were followed, of every person active in it."""
    lags = [window.first for window in named_windows() if window.kind == "exact"]
    found: dict[tuple[date, int], list[Fraction]] = defaultdict(list)
    for person in people:
        weeks = defaultdict(list)
        for day in person.days:
            weeks[day - timedelta(days=day.weekday())].append(day)
        for monday, days in weeks.items():
            for lag in lags:
                if monday + timedelta(days=6 + lag) <= as_of:
                    back = sum(day + timedelta(days=lag) in person.days for day in days)
                    found[monday, lag].append(Fraction(back, len(days)))
    return found


def test_active_user_retention_by_loops(
    warehouse: Warehouse, people: list[Person], as_of: date
) -> None:
    told = followed_shares(people, as_of)
    rows = warehouse.query(
        "select week_start_date, lag_days, active_user_count, share_sum_420ths, retention_rate, "
        "retention_rate_low, retention_rate_high from retention.agg_active_user_retention__weekly"
    )
    assert {row[:2] for row in rows} == set(told)
    intervals = 0
    for monday, lag, users, share_sum, rate, low, high in rows:
        shares = told[monday, lag]
        mean = sum(shares, Fraction(0)) / len(shares)
        assert (users, share_sum) == (len(shares), 420 * sum(shares))
        assert rate == pytest.approx(float(mean), rel=1e-15)
        if len(set(shares)) == 1:
            assert (low, high) == (None, None)
            continue
        intervals += 1
        error = Z * float(stdev(map(float, shares))) / sqrt(len(shares))
        assert low == pytest.approx(max(0.0, float(mean) - error), abs=1e-12)
        assert high == pytest.approx(min(1.0, float(mean) + error), abs=1e-12)
    assert intervals > 50


# ---------------------------------------------------------------- bots
def test_retention_by_bot_by_loops(warehouse: Warehouse, as_of: date) -> None:
    """New to a bot is who never wrote to it; being new to the product has no part in it."""
    chats = defaultdict(set)
    rows = warehouse.query(
        "select person_key, bot_id, event_date from intermediate.int_bot_user_days_human "
        "inner join intermediate.int_bots_versioned using (bot_key) "
        "where new_message_count > 0 and event_date between valid_from_date and valid_to_date"
    )
    first_active = dict(warehouse.query(
        "select person_key, first_active_date from intermediate.int_persons_cohorted"
    ))  # fmt: skip
    for person, bot, day in rows:
        chats[person, bot].add(day)
    cohorts = defaultdict(list)
    for (_, bot), days in chats.items():
        cohorts[bot, min(days)].append(Person(days, min(days), {}))
    told = {
        (bot, day, window): (len(members), sum(member.returned(window) for member in members))
        for (bot, day), members in cohorts.items()
        for window in named_windows(for_bots=True)
        if day + timedelta(days=window.last) <= as_of
    }
    found = warehouse.query(
        "select bot_id, cohort_date, retention_kind, first_day, last_day, cohort_size, returned_count "
        "from retention.agg_bot_retention__cohorts"
    )
    assert {(row[0], row[1], Window(*row[2:5])): (row[5], row[6]) for row in found} == told
    assert any(back for _, back in told.values())
    # The sample has both: old hands who are new to a bot, and people who came for it.
    ages = [min(days) - first_active[person] for (person, _), days in chats.items()]
    assert timedelta(0) in ages
    assert any(age > timedelta(days=7) for age in ages)


# ---------------------------------------------------------------- what was planted
Planted = dict[tuple[int, str], Cell]


@pytest.fixture(scope="module")
def planted(world: World) -> Planted:
    """Returned people by age and role in the mart, beside mean and variance of the truth."""
    rows = world.warehouse.query(
        "select first_day, segment_value, sum(cohort_size), sum(returned_count) "
        f"from {COHORTS} where cohort_grain = 'day' and segment_dimension = 'role' "
        "and retention_kind = 'exact' group by all"
    )
    found = {(age, role): (int(size), int(back)) for age, role, size, back in rows}
    told = {
        (int(age), role): counts
        for age, roles in world.truth.expected["retention"].items()
        for role, counts in roles.items()
        if counts["size"] and (int(age), role) in found
    }
    # Sizes and returns were also counted by the generator itself: no tolerance there.
    assert {key: found[key] for key in told} == {
        key: (counts["size"], counts["returned"]) for key, counts in told.items()
    }
    return {
        key: Cell(found[key][1], counts["expected"], counts["variance"])
        for key, counts in told.items()
    }


@pytest.mark.truth
def test_planted_retention_of_every_role_comes_back(planted: Planted) -> None:
    assert {age for age, _ in planted} >= {1, 3, 7, 14, 30}
    bound = family_bound(len(planted))
    assert all(abs(cell.score) <= bound for cell in planted.values()), planted
    for age, sees in ((1, 0.06), (3, 0.065), (7, 0.08)):
        pooled([cell for (n, _), cell in planted.items() if n == age], sees)


@pytest.mark.truth
def test_pooled_retention_decays_as_planted(world: World, planted: Planted) -> None:
    """The published rate of everybody lies as far from the planted one as chance allows, at every age."""
    rows = world.warehouse.query(
        "select first_day, cohort_size, returned_count, retention_rate, retention_rate_low, "
        "retention_rate_high from retention.agg_retention__pooled where cohort_scope = 'all' "
        "and segment_dimension = 'all' and retention_kind = 'exact'"
    )
    by_age = {age: rest for age, *rest in rows}
    ages = sorted({age for age, _ in planted})
    chances = []
    for age in ages:
        size, back, rate, low, high = by_age[age]
        cell = _added(cell for (n, _), cell in planted.items() if n == age)
        assert back == cell.found
        assert abs(cell.score) <= family_bound(len(ages))
        # The interval is as wide as the binomial says: 1.96 deviations, for large cohorts.
        assert (high - low) / 2 == pytest.approx(Z * sqrt(rate * (1 - rate) / size), rel=0.02)
        chances.append(cell.mean / size)
    assert chances == sorted(chances, reverse=True)
    rates = [by_age[age][2] for age in ages]
    assert rates[0] > 1.3 * rates[-1]


def _added(cells: Iterable[Cell]) -> Cell:
    several = list(cells)
    return Cell(*(sum(cell[place] for cell in several) for place in range(3)))
