"""The generator's truth beside what the warehouse says, name by name: both must be the same number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from plumbline.simulate.truth import Truth
from warehouse import Warehouse

# Columns of agg_bot_engagement__daily, by what the truth calls them.
BOT_COLUMNS = {
    "impressions": "impression_count",
    "clicks": "clicked_impression_count",
    "unattributed": "unattributed_view_count",
    "viewers": "viewer_count",
    "starters": "chat_starter_count",
    "messages_by_bot": "message_count",
}
Pair = tuple[Any, Any]


def landed_rows(warehouse: Warehouse, truth: Truth) -> Pair:
    """Rows by table: landed, accepted, duplicates, rejected, quarantined."""
    told = {
        name: (
            table["landed"],
            table["accepted"],
            table["duplicates"],
            0,
            table["quarantined"],
        )
        for name, table in truth.expected["tables"].items()
        if table["landed"]
    }
    rows = warehouse.query(
        "select table_name, sum(line_count), sum(accepted_count), sum(duplicate_count), "
        "sum(rejected_count), sum(quarantined_count) from core.fct_loads group by table_name "
        "having sum(line_count) > 0"
    )
    return {row[0]: tuple(map(int, row[1:])) for row in rows}, told


def quarantine_reasons(warehouse: Warehouse, truth: Truth) -> Pair:
    """Quarantined rows by table and reason."""
    told = {
        (name, reason): count
        for name, table in truth.expected["tables"].items()
        for reason, count in table["quarantined_by_reason"].items()
        if count
    }
    rows = warehouse.query(
        "select table_name, quarantine_reason, sum(row_count) from intermediate.int_landed_rows_counted "
        "where verdict = 'quarantined' group by all"
    )
    return {(table, reason): int(count) for table, reason, count in rows}, told


def experiment_units(warehouse: Warehouse, truth: Truth) -> Pair:
    """Units by first variation, and those that saw more than one, of every phase."""
    told = {
        (experiment, int(phase), name): count
        for experiment, phases in truth.expected["experiments"].items()
        for phase, found in phases.items()
        for name, count in (
            *found.get("units", {}).items(),
            ("more than one", found.get("multi_exposed_units", 0)),
        )
        if count
    }
    rows = warehouse.query(
        "with units as (from intermediate.int_units_assigned where not is_excluded) "
        "select experiment_id, phase, variation_id, count(*) from units group by all union all "
        "select experiment_id, phase, 'more than one', count(*) from units where is_multi_exposed "
        "group by all"
    )
    return {(experiment, phase, name): count for experiment, phase, name, count in rows}, told


def last_complete_day(warehouse: Warehouse, truth: Truth) -> Pair:
    """as_of."""
    found = warehouse.query("select as_of_date, (select max(date_day) from core.dim_dates) "
                            "from intermediate.int_as_of")[0]  # fmt: skip
    return tuple(day.isoformat() for day in found), (truth.expected["as_of"],) * 2


def daily_active_users(warehouse: Warehouse, truth: Truth) -> Pair:
    """Active people of every day, quiet days included."""
    rows = warehouse.query(
        "select activity_date, daily_active_users from growth.agg_active_users__daily"
    )
    found = {day.isoformat(): count for day, count in rows}
    told = truth.expected["dau"]
    # A day on which nobody came has no entry in one of them; it is zero in both.
    return found, {**dict.fromkeys(found, 0), **told}


def user_days_by_role(warehouse: Warehouse, truth: Truth) -> Pair:
    """Rows of the user-day spine, all and by role."""
    rows = warehouse.query(
        "select role, count(*) from growth.fct_user_days inner join core.dim_persons using (person_id) "
        "group by role"
    )
    every = warehouse.query("select count(*) from growth.fct_user_days")[0][0]
    told = {role: count for role, count in truth.expected["user_days_by_role"].items() if count}
    return {**dict(rows), "all": every}, {**told, "all": truth.expected["user_days"]}


def new_users(warehouse: Warehouse, truth: Truth) -> Pair:
    """People by the day of their first activity ever."""
    rows = warehouse.query(
        "select first, count(*) from (select min(activity_date) as first from growth.fct_user_days "
        "group by person_id) group by first"
    )
    told = {day: count for day, count in truth.expected["new_users"].items() if count}
    return {day.isoformat(): count for day, count in rows}, told


def automated_user_days(warehouse: Warehouse, truth: Truth) -> Pair:
    """User-days of machines; every one of them is active in the generated data."""
    row = warehouse.query(
        "select sum(automated_user_day_count) from growth.agg_active_users__daily"
    )
    return int(row[0][0]), truth.expected["automated_user_days"]


def bots(warehouse: Warehouse, truth: Truth) -> Pair:
    """Impressions, clicks, unattributed views, viewers, starters and messages of every bot."""
    told = truth.expected["by_bot"]
    places = enumerate(told["bot_id"])
    named = {bot: tuple(told[name][place] for name in BOT_COLUMNS) for place, bot in places}
    columns = ", ".join(f"sum({column})" for column in BOT_COLUMNS.values())
    rows = warehouse.query(
        f"select bot_id, {columns} from engagement.agg_bot_engagement__daily group by bot_id"
    )
    return (
        {row[0]: tuple(map(int, row[1:])) for row in rows},
        {bot: counts for bot, counts in named.items() if any(counts)},
    )


def events_by_name(warehouse: Warehouse, truth: Truth) -> Pair:
    """Events of people, whatever they did; sums of the classified user-days."""
    told = truth.expected["events"]["by_name"]
    columns = ", ".join(f"sum({name}_count)" for name in told)
    row = warehouse.query(
        f"select {columns} from intermediate.int_user_days_classified where is_human"
    )[0]
    return dict(zip(told, map(int, row), strict=True)), told


def ad_revenue(warehouse: Warehouse, truth: Truth) -> Pair:
    """Millionths of a dollar, to the last one."""
    row = warehouse.query("select sum(ad_revenue_micros) from intermediate.int_user_days_classified "
                          "where is_human")[0]  # fmt: skip
    return int(row[0]), truth.expected["events"]["ad_revenue_micro_usd"]


def messages_by_method(warehouse: Warehouse, truth: Truth) -> Pair:
    """Messages of people by how they came about."""
    told = truth.expected["messages"]["by_method"]
    columns = ", ".join(f"sum({method}_message_count)" for method in told)
    row = warehouse.query(
        f"select {columns} from intermediate.int_user_days_classified where is_human"
    )[0]
    return dict(zip(told, map(int, row), strict=True)), told


_HUMAN_EVENTS = """
    from intermediate.int_events_resolved as e
    semi join intermediate.int_user_days_classified as d
        on d.person_key = e.person_key and d.event_date = e.event_date and d.is_human
"""


def sessions(warehouse: Warehouse, truth: Truth) -> Pair:
    """Sessions of people: as the client claims them, and cut where nothing happens for 30 minutes."""
    claimed = warehouse.query(f"select count(distinct e.session_key) {_HUMAN_EVENTS}")[0][0]
    cut = warehouse.query(
        f"with e as (select e.person_key, e.event_at {_HUMAN_EVENTS}) "
        "select count(*) from (select event_at - "
        "lag(event_at) over (partition by person_key order by event_at) as gap from e) "
        "where gap is null or gap > interval 30 minute"
    )[0][0]
    return (claimed, cut), (truth.expected["sessions"],) * 2


def retention(warehouse: Warehouse, truth: Truth) -> Pair:
    """Mature cohorts by age and role: members, and how many were active on exactly that day."""
    told = {
        (int(age), role): (counts["size"], counts["returned"])
        for age, roles in truth.expected["retention"].items()
        for role, counts in roles.items()
        if counts["size"]
    }
    return retained(warehouse, sorted({age for age, _ in told})), told


def retained(warehouse: Warehouse, ages: list[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """Size and returned by (age, role), counted person by person from the spine."""
    active = defaultdict(set)
    for person, role, day in warehouse.query(
        "select person_id, role, activity_date - (select min(activity_date) from growth.fct_user_days) "
        "from growth.fct_user_days inner join core.dim_persons using (person_id)"
    ):
        active[person, role].add(int(day))
    last = int(warehouse.query(
        "select as_of_date - (select min(activity_date) from growth.fct_user_days) "
        "from intermediate.int_as_of"
    )[0][0])  # fmt: skip
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for (_, role), days in active.items():
        first = min(days)
        for age in ages:
            if first + age <= last:
                size, returned = found.get((age, role), (0, 0))
                found[age, role] = size + 1, returned + (first + age in days)
    return found


EXACT: dict[str, Callable[[Warehouse, Truth], Pair]] = {
    check.__name__: check
    for check in (
        landed_rows, quarantine_reasons, experiment_units, last_complete_day, daily_active_users,
        user_days_by_role, new_users, automated_user_days, bots, events_by_name, ad_revenue,
        messages_by_method, sessions, retention,
    )
}  # fmt: skip
