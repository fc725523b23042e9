"""Billing as it comes at a new user's: none at first, then refunds beyond the charge, plans changed in
mid-period, charges of nothing, currencies and stores nobody entered, ends and renewals without a start."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import dbt_runner
from test_subscriptions import LANDED, Rows, Store
from warehouse import Warehouse, register, write_rows

AREA = ("models/marts", "models/intermediate", "python_models")
FLOOD = 12


def odd_notes() -> Rows:
    """What the stores report; the 31st of July 2026 is the last whole day."""
    store = Store()
    store.note("overpaid", "started", "2026-07-02", 10, "2026-08-02")
    store.note("overpaid", "refunded", "2026-07-03", -15)
    store.note("changes", "started", "2026-06-01T10:00:00", 10, "2026-07-01T10:00:00")
    store.note("changes", "plan_changed", "2026-06-15T10:00:00", 4.5, "2026-07-01T10:00:00")
    store.note("changes", "renewed", "2026-07-01T10:00:00", 20, "2026-08-01T10:00:00")
    for note in store.notes[-2:]:
        note["plan_id"] = "pro_month"
    store.note("free", "started", "2026-06-05", 0, "2026-07-05")
    store.note("free", "renewed", "2026-07-05", 10, "2026-08-05")
    store.note("midlife", "renewed", "2026-07-03", 10, "2026-08-03")
    store.note("cancels", "cancelled", "2026-07-03")
    store.note("refunds", "refunded", "2026-07-04", -10)
    store.note("weekly", "started", "2026-07-27", 7, "2026-08-03", unit="week")
    store.note("daily", "started", "2026-07-31T01:00:00", 1, "2026-08-01T01:00:00", unit="day")
    # The store says nothing of the end; the year has 366 days.
    store.note("leaps", "started", "2024-02-29", 120, unit="year")
    store.note("kiosk", "started", "2026-07-10", 10, "2026-08-10")
    store.notes[-1]["store"] = "kiosk"
    return store.notes


def odd_orders() -> Rows:
    """As many orders in a currency nobody entered as stop a build, and one in dollars."""
    return [
        {
            "order_id": f"o{number}", "ordered_at": datetime(2026, 7, 20) + timedelta(hours=number),
            "user_id": "buyer", "kind": "coins", "gross_amount": Decimal(5),
            "refunded_amount": Decimal(0), "currency": "XXX" if number else "USD",
            "ingested_at": LANDED,
        }
        for number in range(FLOOD + 1)
    ]  # fmt: skip


def events() -> Rows:
    """Everybody writes once; one event in the day that is not over closes the last whole one."""
    people = {note["user_id"] for note in odd_notes()} | {"buyer"}
    told = [(user, datetime(2026, 6, 1, 9)) for user in sorted(people)]
    return [
        {
            "event_id": f"e{number}", "event_time": at, "user_id": user,
            "event_name": "message_sent", "method": "generate", "ingested_at": LANDED,
        }
        for number, (user, at) in enumerate(
            [*told, ("buyer", datetime(2026, 7, 31)), ("buyer", datetime(2026, 8, 1))]
        )
    ]  # fmt: skip


class Odd:
    """One warehouse, built before and after the first bill, with what its data tests said each time."""

    def __init__(self, folder: Path) -> None:
        lake = folder / "lake"
        self.warehouse = Warehouse(folder, dbt_runner(folder), lake)
        write_rows(lake, "events", "load0", events())
        self.before = self._built(lake)
        self.empty = {
            name: self.warehouse.query(f"select count(*) from {name}")[0][0]
            for (name,) in self.warehouse.query(
                "select schema_name || '.' || table_name from duckdb_tables() "
                "where schema_name = 'subscription'"
            )
        }
        write_rows(lake, "subscription_events", "load1", odd_notes())
        write_rows(lake, "orders", "load1", odd_orders())
        self.after = self._built(lake)

    def _built(self, lake: Path) -> str:
        register(lake)
        self.warehouse.models("+path:models/marts/subscription", "int_conversions_missing")
        paths = [f"path:{area}/subscription" for area in AREA]
        return self.warehouse.dbt(
            "test", "--select", *paths, "--exclude-resource-type", "unit_test",
            "--indirect-selection", "cautious", check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    return Odd(tmp_path_factory.mktemp("oddities"))


def _faults(output: str) -> set[str]:
    assert "Done. PASS=" in output, output[-4000:]
    return set(re.findall(r"\d+ of \d+ (?:FAIL|WARN|ERROR) (?:\d+ )?(\w+)", output))


def test_a_product_without_billing_has_marts_without_faults(odd: Odd) -> None:
    assert _faults(odd.before) == set(), odd.before[-4000:]
    assert odd.empty["subscription.agg_revenue__daily"] == 61
    for mart in ("fct_orders", "fct_subscription_spells", "agg_mrr_movements__monthly"):
        assert odd.empty[f"subscription.{mart}"] == 0


def test_what_is_odd_faults_nothing_but_the_money_without_a_rate(odd: Odd) -> None:
    assert _faults(odd.after) == {
        "int_conversions_missing__some_money_cannot_be_told_in_dollars",
        "int_conversions_missing__too_much_money_cannot_be_told_in_dollars",
    }, odd.after[-6000:]


def test_money_without_a_rate_is_kept_counted_and_named(odd: Odd) -> None:
    assert odd.warehouse.query(
        "select count(*), sum(gross_amount), count(gross_usd), bool_or(is_converted) "
        "from subscription.fct_orders where currency = 'XXX'"
    ) == [(FLOOD, 5 * FLOOD, 0, False)]
    assert odd.warehouse.query(
        "select order_count, unconverted_order_count, feeless_order_count, cast(gross_usd as double) "
        "from subscription.agg_revenue__daily where activity_date = date '2026-07-20'"
    ) == [(FLOOD + 1, FLOOD, 0, 5.0)]
    words = " ".join(odd.after.split())
    assert (
        f"{FLOOD} of {FLOOD + 1} rows of orders from 2026-07-20 to 2026-07-20 are in XXX" in words
    )
    assert "XXX,2026-07-20,<usd_per_unit> to seeds/reference/exchange_rates.csv" in words


def test_a_store_without_a_fee_is_counted_and_named(odd: Odd) -> None:
    assert odd.warehouse.query(
        "select cast(net_usd as double), store_fee_usd, is_converted from subscription.fct_orders "
        "where person_id = 'kiosk'"
    ) == [(10.0, None, True)]
    assert odd.warehouse.query(
        "select feeless_order_count, cast(gross_usd as double), cast(store_fee_usd as double) "
        "from subscription.agg_revenue__daily where activity_date = date '2026-07-10'"
    ) == [(1, 10.0, 0.0)]
    words = " ".join(odd.after.split())
    assert (
        "subscription,kiosk,2026-07-10,<fee_rate>,<reason> to seeds/reference/store_fees.csv"
        in words
    )


def _orders(odd: Odd, person: str) -> list[tuple[Any, ...]]:
    return odd.warehouse.query(
        "select order_role, cast(gross_usd as double), cast(refunded_usd as double), "
        "cast(store_fee_usd as double) from subscription.fct_orders "
        f"where person_id = '{person}' order by ordered_at"
    )


def _states(odd: Odd, person: str) -> list[str]:
    rows = odd.warehouse.query(
        "select state from subscription.fct_subscription_spells "
        f"where person_id = '{person}' order by spell_number"
    )
    return [row[0] for row in rows]


def _movements(odd: Odd, person: str) -> list[tuple[str, str, float]]:
    return odd.warehouse.query(
        "select strftime(month_start_date, '%Y-%m'), movement, cast(closing_usd as double) "
        f"from subscription.fct_account_months where person_id = '{person}' and movement <> 'none' "
        "order by month_start_date"
    )


def test_a_refund_beyond_the_charge_ends_the_subscription_and_pays_no_fee(odd: Odd) -> None:
    assert _orders(odd, "overpaid") == [("first", 10.0, 15.0, 0.0)]
    assert _states(odd, "overpaid") == ["paid", "lapsed"]
    # Begun and ended within its month: never in a balance, so neither new nor lost.
    assert _movements(odd, "overpaid") == []


def test_a_refund_alone_is_money_that_left_and_no_order(odd: Odd) -> None:
    assert _orders(odd, "refunds") == [("none", 0.0, 10.0, 0.0)]
    assert _states(odd, "refunds") == []
    assert odd.warehouse.query(
        "select payer_count, order_count, cast(revenue_usd as double) "
        "from subscription.agg_revenue__daily where activity_date = date '2026-07-04'"
    ) == [(0, 0, -10.0)]


def test_a_plan_changed_in_mid_period_counts_its_list_price(odd: Odd) -> None:
    assert [row[1] for row in _orders(odd, "changes")] == [10.0, 4.5, 20.0]
    assert _movements(odd, "changes") == [
        ("2026-06", "new", 19.99), ("2026-07", "expansion", 20.0),
    ]  # fmt: skip
    assert odd.warehouse.query(
        "select plan_id, outcome from intermediate.int_subscription_periods "
        "where subscription_id = 'changes' order by period_number"
    ) == [("basic_month", "changed"), ("pro_month", "renewed"), ("pro_month", "not_due")]


def test_a_charge_of_nothing_is_a_trial_and_no_order(odd: Odd) -> None:
    assert _orders(odd, "free") == [("first", 10.0, 0.0, 0.3)]
    assert _states(odd, "free") == ["trial", "paid"]
    assert _movements(odd, "free") == [("2026-07", "new", 10.0)]


def test_a_subscription_that_begins_with_a_renewal_begins_there(odd: Odd) -> None:
    assert _orders(odd, "midlife") == [("first", 10.0, 0.0, 0.3)]
    assert _states(odd, "midlife") == ["paid"]
    assert _movements(odd, "midlife") == [("2026-07", "new", 10.0)]
    # A cancellation of something that never began is about nothing.
    assert (_orders(odd, "cancels"), _states(odd, "cancels")) == ([], [])


def test_days_and_weeks_are_normalised_to_a_month(odd: Odd) -> None:
    # 7 x 52 / 12 and 1 x 365 / 12.
    assert _movements(odd, "weekly") == [("2026-07", "new", 30.333333)]
    assert _movements(odd, "daily") == [("2026-07", "new", 30.416667)]


def test_a_year_that_begins_on_a_leap_day_is_over_after_366_days_and_grace(odd: Odd) -> None:
    assert _movements(odd, "leaps") == [("2024-02", "new", 10.0), ("2025-03", "churn", 0.0)]
    assert odd.warehouse.query(
        "select state, cast(started_date as varchar) from subscription.fct_subscription_spells "
        "where person_id = 'leaps' order by spell_number"
    ) == [("paid", "2024-02-29"), ("grace", "2025-03-01"), ("lapsed", "2025-03-08")]


def test_few_buyers_and_members_have_reasons_instead_of_values(odd: Odd) -> None:
    for mart in (
        "agg_lifetime_values__forecast", "agg_order_lifetimes__kinds", "fct_lifetime_values__plans",
    ):  # fmt: skip
        reasons = odd.warehouse.query(f"select distinct missing_reason from subscription.{mart}")
        assert reasons
        assert (None,) not in reasons
