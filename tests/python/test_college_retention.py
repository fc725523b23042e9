"""Return in a real chat product (see test_college_messages): published figures, and every cell by loops.

The last day of the file ends at eight in the morning, so everything stands as of the day before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from test_college_messages import OFF, Campus, Message, messages
from test_truth_retention import (
    Person,
    cells_by_definition,
    followed_shares,
    named_windows,
    stored_cells,
)

pytestmark = pytest.mark.shared

# Nothing is known about a sender but the messages.
SEGMENTS = dict.fromkeys(
    ("role", "country", "platform", "language", "acquisition_channel"), "unknown"
)

__all__ = ["messages"]


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory, messages: list[Message]) -> Campus:
    """Built up to the marts of retention, as of the last complete day, everybody a person."""
    campus = Campus(tmp_path_factory.mktemp("campus_retention"), messages)
    campus.last -= timedelta(days=1)
    campus.build(
        OFF, "+agg_retention__pooled", "+agg_retention__cohorts", "+agg_active_user_retention__weekly",
        "+agg_bot_retention__cohorts", "+agg_active_users__daily",
    )  # fmt: skip
    return campus


@pytest.fixture(scope="module")
def senders(campus: Campus, messages: list[Message]) -> list[Person]:
    days = defaultdict(set)
    for message in messages:
        if message.day <= campus.last:
            days[message.sender].add(message.day)
    return [Person(active, min(active), {"all": "all", **SEGMENTS}) for active in days.values()]


@pytest.mark.parametrize(
    ("window", "size", "returned", "published"),
    [("d1", 1348, 590, 0.438), ("d7", 1344, 354, 0.263)],
)
def test_published_retention(
    campus: Campus, window: str, size: int, returned: int, published: float
) -> None:
    ((found_size, found_returned, rate, low, high),) = campus.warehouse.query(
        "select cohort_size, returned_count, retention_rate, retention_rate_low, retention_rate_high "
        "from retention.agg_retention__pooled where segment_dimension = 'all' "
        f"and cohort_scope = 'all' and window_name = '{window}'"
    )
    assert (found_size, found_returned) == (size, returned)
    assert round(rate, 3) == published
    assert low < published < high


def test_every_cell_of_the_triangle_by_loops(campus: Campus, senders: list[Person]) -> None:
    told = cells_by_definition(senders, campus.last)
    assert stored_cells(campus.warehouse) == told
    assert len(told) > 20_000


def test_daily_actives_are_the_returns_of_all_cohorts(campus: Campus) -> None:
    daily: Counter[date] = Counter()
    for (grain, day, dimension, _, window), (_, back) in stored_cells(campus.warehouse).items():
        if (grain, dimension, window.kind) == ("day", "all", "exact"):
            daily[day + timedelta(days=window.first)] += back
    found = campus.warehouse.query(
        "select activity_date, daily_active_users from growth.agg_active_users__daily"
    )
    assert sum(daily.values()) == sum(users for _, users in found) > 0
    assert all(daily[day] == users for day, users in found)


def test_active_user_retention_by_loops(campus: Campus, senders: list[Person]) -> None:
    told = {
        key: (len(shares), 420 * sum(shares))
        for key, shares in followed_shares(senders, campus.last).items()
    }
    found = campus.warehouse.query(
        "select week_start_date, lag_days, active_user_count, share_sum_420ths "
        "from retention.agg_active_user_retention__weekly"
    )
    assert {(week, lag): (users, share_sum) for week, lag, users, share_sum in found} == told


def test_retention_by_receiver_by_loops(campus: Campus, messages: list[Message]) -> None:
    chats = defaultdict(set)
    for message in messages:
        if message.day <= campus.last:
            chats[message.sender, message.receiver].add(message.day)
    told: dict[tuple[str, date, str], tuple[int, int]] = {}
    for (_, receiver), days in chats.items():
        pair = Person(days, min(days), {})
        for window, name in named_windows(for_bots=True).items():
            if pair.first + timedelta(days=window.last) <= campus.last:
                size, back = told.get((receiver, pair.first, name), (0, 0))
                told[receiver, pair.first, name] = (size + 1, back + pair.returned(window))
    found = campus.warehouse.query(
        "select bot_id, cohort_date, window_name, cohort_size, returned_count "
        "from retention.agg_bot_retention__cohorts"
    )
    assert {tuple(row[:3]): tuple(row[3:]) for row in found} == told
    # People who have known the product for weeks still meet somebody new.
    assert sum(size for (_, _, name), (size, _) in told.items() if name == "d1") > 20_000
