"""Small stories of subscriptions and orders, from landed rows to marts: what careless systems get wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conftest import dbt_runner
from warehouse import Warehouse, register, write_rows

LANDED = datetime(2026, 8, 1, 12)
MONTHS = [datetime(2026, month, 10, 9) for month in range(1, 9)]
# Balances at the ends of months, as the accounts of the story have them.
SERIES = {"account_A": [100, 100, 0, 0, 80, 120, 90], "account_B": [50, 0, 50]}
MARTS = (
    "+fct_subscription_spells",
    "+fct_orders",
    "+agg_mrr_movements__monthly",
    "+fct_account_months",
    "+agg_renewals__cohorts",
    "+agg_early_cancels__cohorts",
    "+agg_trials__cohorts",
    "+agg_payments__cohorts",
)
Rows = list[dict[str, Any]]


class Store:
    """Writes down what a store would report."""

    def __init__(self) -> None:
        self.notes: Rows = []
        self._number = count()

    def note(
        self,
        user: str,
        kind: str,
        at: datetime | str,
        amount: float = 0,
        ends: datetime | str | None = None,
        subscription: str = "",
        unit: str = "month",
    ) -> None:
        """One notification; the period ends a month later unless it says otherwise."""
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        until = datetime.fromisoformat(ends) if isinstance(ends, str) else ends
        self.notes.append({
            "event_id": f"n{next(self._number)}", "event_time": moment,
            "subscription_id": subscription or user, "user_id": user, "event_type": kind,
            "plan_id": "basic_month", "period_count": 1,
            "period_unit": unit, "amount": Decimal(str(amount)), "currency": "USD",
            "period_end": until, "store": "web", "ingested_at": LANDED,
        })  # fmt: skip

    def balances(self, user: str, series: list[int]) -> None:
        """Charges and ends that leave the account with these balances at the ends of months."""
        run = 0
        for month, (amount, before) in enumerate(zip(series, [0, *series], strict=False)):
            if amount and not before:
                run += 1
            name = f"{user}_{run}"
            if amount:
                kind = "renewed" if before else "started"
                self.note(user, kind, MONTHS[month], amount, MONTHS[month + 1], name)
            elif before:
                self.note(user, "expired", MONTHS[month], subscription=name)


def story() -> dict[str, Rows]:
    """All rows, by table; the 31st of July is the last whole day."""
    store = Store()
    # Three charges of a subscription and four coin orders in one month.
    for start, end in (("2026-07-01", "2026-07-08"), ("2026-07-08", "2026-07-15")):
        store.note(
            "buyer", "renewed" if start.endswith("08") else "started", start, 4, end, unit="week"
        )
    store.note("buyer", "renewed", "2026-07-15", 4, "2026-08-22", unit="week")
    # Cancelled on the second day; and once more, but taken back.
    store.note("two_days", "started", "2026-06-01T10:00:00", 10, "2026-07-01T10:00:00")
    store.note("two_days", "cancelled", "2026-06-03T09:00:00")
    store.note("two_days", "expired", "2026-07-01T10:00:00")
    store.note("regrets", "started", "2026-06-01T10:00:00", 10, "2026-07-01T10:00:00")
    store.note("regrets", "cancelled", "2026-06-03T09:00:00")
    store.note("regrets", "reenabled", "2026-06-20T09:00:00")
    store.note("regrets", "renewed", "2026-07-01T10:00:00", 10, "2026-08-01T10:00:00")
    # Nobody ever reports the end.
    store.note("silent", "started", "2026-05-05T10:00:00", 10, "2026-06-05T10:00:00")
    # A payment fails, is tried again and lost; reported twice.
    store.note("broke", "started", "2026-05-05T10:00:00", 10, "2026-06-05T10:00:00")
    store.note("broke", "payment_failed", "2026-06-05T10:00:00")
    store.note("broke", "payment_failed", "2026-06-08T10:00:00")
    store.note("broke", "expired", "2026-06-12T10:00:00")
    store.note("broke", "expired", "2026-06-13T10:00:00")
    # Came back with another subscription after a trial and a first one.
    store.note("returns", "trial_started", "2026-03-03T10:00:00", 0, "2026-03-10T10:00:00", "first")
    store.note("returns", "started", "2026-03-10T10:00:00", 10, "2026-04-10T10:00:00", "first")
    store.note("returns", "refunded", "2026-03-12T10:00:00", -10, None, "first")
    store.note("returns", "expired", "2026-03-12T10:00:01", 0, None, "first")
    store.note("returns", "started", "2026-06-10T10:00:00", 10, "2026-08-10T10:00:00", "second")
    store.note("tries", "trial_started", "2026-03-03T10:00:00", 0, "2026-03-10T10:00:00")
    store.note("tries", "expired", "2026-03-10T10:00:00")
    for user, series in SERIES.items():
        store.balances(user, series)
    people = sorted({note["user_id"] for note in store.notes})
    return {
        "subscription_events": store.notes,
        "orders": [
            {
                "order_id": f"o{number}", "ordered_at": datetime(2026, 7, 1 + number), "user_id": "buyer",
                "kind": "coins", "gross_amount": Decimal(5), "refunded_amount": Decimal(number == 3),
                "currency": "USD", "ingested_at": LANDED,
            }
            for number in range(4)
        ],
        "events": [
            {
                "event_id": f"e{number}", "event_time": at, "user_id": user, "event_name": "message_sent",
                "method": "generate", "ingested_at": LANDED,
            }
            for number, (user, at) in enumerate(
                [*((user, datetime(2026, 1, 1, 9)) for user in people if user != "buyer"),
                 ("buyer", datetime(2026, 7, 1)), ("buyer", datetime(2026, 8, 1))]
            )
        ],
    }  # fmt: skip


def _built(folder: Path, loads: list[dict[str, Rows]], *select: str) -> Warehouse:
    lake = folder / "lake"
    for number, tables in enumerate(loads):
        for table, rows in tables.items():
            write_rows(lake, table, f"load{number}", rows)
    register(lake)
    warehouse = Warehouse(folder, dbt_runner(folder), lake)
    warehouse.models(*select)
    return warehouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield _built(tmp_path_factory.mktemp("subscriptions"), [story()], *MARTS)


def test_three_subscription_and_four_coin_orders_are_three_and_four(built: Warehouse) -> None:
    assert built.query(
        "select order_type, count(*), cast(sum(net_usd) as integer) from subscription.fct_orders "
        "where person_id = 'buyer' group by all order by all"
    ) == [("coins", 4, 19), ("subscription", 3, 12)]
    assert built.query(
        "select order_role, count(*) from subscription.fct_orders where person_id = 'buyer' "
        "group by all order by all"
    ) == [("first", 1), ("renewal", 2), ("repeat", 4)]
    # One payer, seven orders: within the first week those of the first seven days.
    assert built.query(
        "select window_days, payer_count, order_count from subscription.agg_payments__cohorts "
        "where cohort_grain = 'day' and cohort_date = date '2026-07-01' and segment_dimension = 'all' "
        "order by window_days"
    ) == [(1, 1, 2), (3, 1, 4), (7, 1, 5), (14, 1, 6), (30, 1, 7)]


def test_a_cancellation_on_day_two_counts_and_taking_it_back_undoes_it(built: Warehouse) -> None:
    assert built.query(
        "select new_subscription_count, cancelled_early_count, undone_cancel_count, early_cancel_rate "
        "from subscription.agg_early_cancels__cohorts where cohort_month_date = date '2026-06-01'"
    ) == [(3, 2, 1, pytest.approx(1 / 3))]


def _spells(warehouse: Warehouse, subscription: str) -> list[tuple[Any, ...]]:
    return warehouse.query(
        "select state, begin_reason, cast(started_date as varchar), cast(ended_date as varchar) "
        f"from subscription.fct_subscription_spells where subscription_id = '{subscription}' "
        "order by spell_number"
    )


def test_what_no_store_reports_time_ends(built: Warehouse) -> None:
    assert _spells(built, "silent") == [
        ("paid", "started", "2026-05-05", "2026-06-05"),
        ("grace", "overdue", "2026-06-05", "2026-06-12"),
        ("lapsed", "not_renewed", "2026-06-12", None),
    ]


def test_a_lapse_is_lost_once_with_its_reason(built: Warehouse) -> None:
    assert _spells(built, "broke") == [
        ("paid", "started", "2026-05-05", "2026-06-05"),
        ("grace", "payment_failed", "2026-06-05", "2026-06-12"),
        ("lapsed", "payment_failed", "2026-06-12", None),
    ]
    assert built.query(
        "select churned_account_count, payment_failed_churned_account_count, other_churned_account_count "
        "from subscription.agg_mrr_movements__monthly where month_start_date = date '2026-06-01'"
    ) == [(2, 1, 1)]


def test_who_comes_back_is_no_new_customer(built: Warehouse) -> None:
    assert [row[:2] for row in _spells(built, "first")] == [
        ("trial", "trial_started"), ("paid", "converted"), ("lapsed", "refunded"),
    ]  # fmt: skip
    assert _spells(built, "second") == [("paid", "reactivated", "2026-06-10", None)]
    assert built.query(
        "select cast(month_start_date as varchar), movement, cast(closing_usd as double) "
        "from subscription.fct_account_months where person_id = 'returns' and movement <> 'none'"
    ) == [("2026-06-01", "reactivation", 10.0)]
    assert built.query(
        "select order_role from subscription.fct_orders where person_id = 'returns' order by ordered_at"
    ) == [("first",), ("repurchase",)]


def test_a_trial_that_ends_is_no_churn(built: Warehouse) -> None:
    assert [row[:2] for row in _spells(built, "tries")] == [
        ("trial", "trial_started"), ("lapsed", "trial_ended"),
    ]  # fmt: skip
    assert built.query(
        "select count(*) from subscription.fct_account_months where person_id = 'tries'"
    ) == [(0,)]
    assert built.query(
        "select trial_count, decided_trial_count, converted_trial_count, trial_conversion_rate "
        "from subscription.agg_trials__cohorts"
    ) == [(2, 2, 1, 0.5)]


def test_due_are_renewed_lapsed_and_in_grace(built: Warehouse) -> None:
    due, renewed, lapsed, grace = built.query(
        "select cast(sum(due_count) as int), cast(sum(renewed_count) as int), "
        "cast(sum(lapsed_count) as int), cast(sum(in_grace_count) as int) "
        "from subscription.agg_renewals__cohorts"
    )[0]
    assert due == renewed + lapsed + grace
    # Nothing that ends in August is due: buyer, regrets, returns; account_A ends on the 10th.
    assert built.query(
        "select count(*) from intermediate.int_subscription_periods where outcome = 'not_due'"
    ) == [(4,)]


@pytest.mark.shared
def test_movements_of_the_published_cases_come_out(built: Warehouse, shared_data: Path) -> None:
    cases = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    case = next(case for case in cases if case["id"] == "mrr_case_order")
    assert case["inputs"] == SERIES
    names = {"none": "unchanged"}
    for user, answer in (("account_A", "correct_A"), ("account_B", "correct_B")):
        rows = built.query(
            "select movement, cast(closing_usd as int) from subscription.fct_account_months "
            f"where person_id = '{user}' order by month_start_date limit {len(SERIES[user])}"
        )
        assert [row[1] for row in rows] == case["inputs"][user]
        assert [names.get(row[0], row[0]) for row in rows] == case["recomputed"][answer]


def test_the_bridge_of_the_story_closes(built: Warehouse) -> None:
    rows = built.query(
        "select opening_usd + new_usd + reactivation_usd + expansion_usd - contraction_usd - churn_usd, "
        "closing_usd, opening_usd from subscription.agg_mrr_movements__monthly order by month_start_date"
    )
    assert len(rows) == 7
    assert all(bridge == closing for bridge, closing, _ in rows)
    assert [row[2] for row in rows[1:]] == [row[1] for row in rows[:-1]]


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The same notifications in two files, the newest first and some of them twice, and one strange order."""
    tables = story()
    notes = tables["subscription_events"]
    late = [{**note, "ingested_at": LANDED + timedelta(hours=1)} for note in notes[:20]]
    tables["orders"].append(
        {**tables["orders"][0], "order_id": "strange", "user_id": "silent", "currency": "XXX"}
    )
    loads = [{"subscription_events": notes[:7:-1]}, {**tables, "subscription_events": late}]
    return _built(
        tmp_path_factory.mktemp("shuffled"),
        loads,
        "+fct_subscription_spells",
        "+fct_orders",
        "+int_conversions_missing",
    )


def test_the_order_of_arrival_changes_no_spell(built: Warehouse, shuffled: Warehouse) -> None:
    for mart in ("fct_subscription_spells", "fct_orders"):
        rows = [
            warehouse.contents(f"(select * from subscription.{mart} where person_id <> 'silent')")
            for warehouse in (built, shuffled)
        ]
        assert rows[0] == rows[1]
        assert rows[0]


def test_a_currency_without_a_rate_is_kept_and_named(shuffled: Warehouse) -> None:
    assert shuffled.query(
        "select currency, gross_amount, gross_usd, is_converted from subscription.fct_orders "
        "where order_id = 'strange'"
    ) == [("XXX", Decimal(5), None, False)]
    output = shuffled.dbt("test", "--select", "int_conversions_missing")
    words = " ".join(output.split())
    # One order is told and stops nothing.
    assert "are in XXX, which has no rate" in words
    assert "XXX,2026-07-01,<usd_per_unit> to seeds/reference/exchange_rates.csv" in words
    assert "WARN=1 ERROR=0" in words
