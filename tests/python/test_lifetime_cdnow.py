"""CDNOW, the purchase log that lifetime models are published on, through landing, staging and marts."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conftest import dbt_runner
from plumbline.landing import land
from warehouse import Warehouse

pytestmark = pytest.mark.shared

UNTIL = date(1997, 9, 30)


class Shop(NamedTuple):
    """The warehouse on the last day that the published models knew, and the log itself."""

    warehouse: Warehouse
    days: dict[str, dict[date, Decimal]]
    cases: dict[str, Any]


@pytest.fixture(scope="module")
def shop(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("cdnow")
    inbox = folder / "inbox"
    inbox.mkdir()
    days: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lines = (shared_data / "cdnow_sample.txt").read_text(encoding="ascii").splitlines()
    with (inbox / "orders.ndjson").open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines):
            _, customer, day, _, amount = line.split()
            at = datetime.strptime(day, "%Y%m%d")
            days[customer][at.date()] += Decimal(amount)
            order = {
                "order_id": f"o{number}", "ordered_at": at.isoformat(), "user_id": customer,
                "kind": "shop", "gross_amount": amount, "refunded_amount": "0", "currency": "USD",
            }  # fmt: skip
            file.write(json.dumps(order) + "\n")
    # Somebody has to have been there: the calendar of the product begins with its events.
    event = {
        "event_id": "e1", "event_time": "1997-01-01T00:00:00", "user_id": next(iter(days)),
        "event_name": "message_sent",
    }  # fmt: skip
    (inbox / "events.ndjson").write_text(json.dumps(event) + "\n", encoding="utf-8")
    land(inbox, folder / "lake", ingested_at=datetime(1998, 7, 1)).raise_for_failures()
    warehouse = Warehouse(folder, dbt_runner(folder), folder / "lake")
    warehouse.dbt(
        "build", "--exclude-resource-type", "test", "unit_test",
        "--select", "+agg_order_lifetimes__kinds", "+fct_lifetime_values__customers",
        env={"PLUMBLINE_AS_OF": UNTIL.isoformat()},
    )  # fmt: skip
    text = (shared_data / "lifecycle_cases.json").read_text(encoding="utf-8")
    return Shop(warehouse, days, {case["id"]: case for case in json.loads(text)["cases"]})


def test_the_customer_summary_is_the_published_one(shop: Shop) -> None:
    """2,357 rows: days with an order after the first, recency and age, mean value of a repeat day."""
    case = shop.cases["cdnow_rfm_from_raw_in_sql"]["published"]
    rows = shop.warehouse.query(
        "select person_id, repeat_days_count, recency_days, observed_days, monetary_mean_usd "
        "from intermediate.int_order_customers "
        "inner join intermediate.int_persons_described using (person_key) where order_kind = 'shop'"
    )
    assert len(rows) == case["customers"]
    told = {}
    for customer, orders in shop.days.items():
        seen = sorted(day for day in orders if day <= UNTIL)
        paid = [orders[day] for day in seen[1:]]
        told[customer] = (
            len(paid), (seen[-1] - seen[0]).days, (UNTIL - seen[0]).days,
            sum(paid) / len(paid) if paid else None,
        )  # fmt: skip
    for customer, *facts, value in rows:
        assert tuple(facts) == told[customer][:3]
        assert (value is None) == (told[customer][3] is None)
        # Rounded half up to the micro-dollar.
        assert value is None or abs(value - told[customer][3]) <= Decimal("0.0000005")
    sums = shop.cases["bgnbd_cdnow"]["inputs"]["sufficient"]
    assert sum(row[1] for row in rows) == sums["sum_frequency"]
    # The published sums are of weeks rounded to two places.
    assert sum(row[2] for row in rows) / 7 == pytest.approx(sums["sum_recency"], abs=0.1)
    assert sum(row[3] for row in rows) / 7 == pytest.approx(sums["sum_T"], abs=0.1)


def test_the_estimates_are_the_published_ones(shop: Shop) -> None:
    orders, spend = shop.cases["bgnbd_cdnow"], shop.cases["gamma_gamma_cdnow"]
    found = shop.warehouse.query(
        "select order_rate_shape, order_rate_scale_days / 7, dropout_a, dropout_b, "
        "spend_shape, spend_scale_shape, spend_scale, spend_log_likelihood "
        "from subscription.agg_order_lifetimes__kinds where order_kind = 'shop'"
    )[0]
    for value, name in zip(found[:4], ("r", "alpha", "a", "b"), strict=True):
        assert value == pytest.approx(orders["published"][name], abs=orders["tolerance"]["params"])
        assert value == pytest.approx(orders["recomputed"][name], abs=3e-4)
    for value, name in zip(found[4:7], ("p", "q", "v"), strict=True):
        assert value == pytest.approx(spend["published"][name], abs=spend["tolerance"]["params"])
    assert found[7] == pytest.approx(spend["recomputed"]["log_likelihood"], abs=0.01)


def test_every_customer_has_a_value(shop: Shop) -> None:
    assert shop.warehouse.query(
        "select count(*), count(lifetime_value_usd), count(missing_reason) "
        "from subscription.fct_lifetime_values__customers where order_kind = 'shop'"
    ) == [(2357, 2357, 0)]
