"""Tables of lifetime value: rows in, rows out, reasons as plain text; and what was planted in a world."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import numpy as np
import pytest

from bounds import SIGMAS
from plumbline.statistics.lifetime_contractual import (
    fit_shifted_beta_geometric,
    renewal_curves,
    survivors_as_counts,
)
from plumbline.statistics.lifetime_noncontractual import fit_orders, fit_spend, predict_orders
from plumbline.statistics.lifetime_tables import (
    Columns,
    contract_lifetimes,
    order_hold_outs,
    order_lifetimes,
    renewal_curve_table,
    renewal_hold_outs,
)
from plumbline.statistics.survival import kaplan_meier
from worlds import World

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
SMALL = [7, 5, 4]


def renewals(**plans: list[int]) -> tuple[Any, ...]:
    """Columns plan, cohort, renewal number, renewed, lost; two cohorts, the second a renewal behind."""
    rows = []
    for plan, survivors in plans.items():
        for cohort, seen in (("x", len(survivors)), ("y", len(survivors) - 1)):
            for period in range(1, seen):
                before, after = survivors[period - 1], survivors[period]
                rows.append((plan, cohort, period, after, before - after))
    return tuple(zip(*rows, strict=True))


def row(table: Columns, **key: Any) -> dict[str, Any]:
    (place,) = np.flatnonzero(np.all([table[name] == value for name, value in key.items()], axis=0))
    return {name: column[place] for name, column in table.items()}


def one_length(table: Columns) -> int:
    (length,) = {len(column) for column in table.values()}
    return length


def test_contract_lifetimes_discount_by_the_length_of_a_period() -> None:
    days = {"month": 365 / 12, "week": 7.0, "few": 30.0}
    columns = renewals(month=REGULAR, week=REGULAR, few=SMALL)
    table = contract_lifetimes(*columns, days, 0.1, 365.0, 50, 0.8)
    assert one_length(table) == 3
    month, week, few = (row(table, plan_id=name) for name in ("month", "week", "few"))
    assert month["alpha"] == week["alpha"]
    assert month["customer_count"] == 2000
    assert month["observed_renewals_count"] == 7
    counts = survivors_as_counts([2 * n for n in REGULAR[:-1]])
    survival = renewal_curves(counts, fit_shifted_beta_geometric(counts, 1), 11, 0.8).survival[0]
    # Twelve payments fall into a year; the last one is made after eleven months.
    worth = 1.1 ** -(np.arange(1, 12) / 12)
    assert month["horizon_payments"] == pytest.approx(1 + (survival * worth).sum(), rel=0.02)
    assert week["horizon_payments"] > month["horizon_payments"]
    assert week["horizon_payments"] < week["lifetime_payments"]
    assert few["missing_reason"] == "too_few_customers"
    assert type(few["missing_reason"]) is str
    assert few["is_homogeneous"] is None
    assert np.isnan(few["lifetime_payments"])
    assert month["missing_reason"] is None
    assert month["is_homogeneous"] is False


def test_curves_go_on_where_there_is_a_fit() -> None:
    table = renewal_curve_table(*renewals(a=REGULAR, b=SMALL), 5, 50, 0.8)
    assert one_length(table) == 12 + 2
    assert table["renewal_number"][table["plan_id"] == "a"].tolist() == list(range(1, 13))
    first, last, few = (
        row(table, plan_id=plan, renewal_number=number)
        for plan, number in (("a", 1), ("a", 12), ("b", 2))
    )
    assert (first["at_risk_count"], first["lost_count"]) == (2000, 738)
    assert first["observed_survival_rate"] == pytest.approx(0.631)
    assert first["fitted_survival_low"] < first["fitted_survival_rate"]
    assert first["fitted_survival_rate"] == first["fitted_renewal_rate"]
    assert last["at_risk_count"] == 0
    assert np.isnan(last["observed_survival_rate"])
    assert 0 < last["fitted_survival_low"] < last["fitted_survival_rate"]
    assert few["missing_reason"] == "too_few_customers"
    assert np.isnan(few["fitted_survival_rate"])
    assert few["observed_survival_rate"] == pytest.approx(
        kaplan_meier([1, 1], [1, 2], [14, 5], [4, 1]).survival[1]
    )


def test_renewals_held_out_are_predicted_from_the_others_alone() -> None:
    known = [("a", False, n, 1, REGULAR[n], REGULAR[n + 1]) for n in range(5)]
    later = [
        ("a", True, 2, 1, 100, 81), ("a", True, 3, 1, 50, 43), ("a", True, 2, 2, 90, 62),
        ("new", True, 0, 1, 5, 4),
    ]  # fmt: skip
    table = renewal_hold_outs(*zip(*known, *later, strict=True), 50, 0.8)
    assert one_length(table) == 3
    one, two, new = (
        row(table, plan_id=plan, steps_ahead=steps)
        for plan, steps in (("a", 1), ("a", 2), ("new", 1))
    )
    assert (one["customer_count"], one["renewed_count"]) == (150, 124)
    assert one["fitted_customer_count"] == 1000
    counts = survivors_as_counts(REGULAR[:6])
    rate = renewal_curves(counts, fit_shifted_beta_geometric(counts, 1), 5, 0.8).renewal[0]
    assert one["predicted_renewals"] == pytest.approx(100 * rate[2] + 50 * rate[3])
    assert two["predicted_renewals"] == pytest.approx(90 * rate[2] * rate[3])
    assert one["is_covered"] is True
    assert new["fitted_customer_count"] == 0
    assert new["missing_reason"] == "too_few_customers"
    assert new["is_covered"] is None
    # What came after does not reach the fit.
    changed = [(*line[:5], 0) for line in later]
    other = renewal_hold_outs(*zip(*known, *changed, strict=True), 50, 0.8)
    assert other["predicted_renewals"][:2].tolist() == table["predicted_renewals"][:2].tolist()
    assert other["is_covered"][0] is False


@pytest.fixture(scope="module")
def buyers() -> tuple[np.ndarray[Any, Any], ...]:
    """Frequency, recency, age, mean spend of 400 buyers."""
    random = np.random.default_rng(12)
    x = random.poisson(random.gamma(0.6, 3.0, 400)).astype(float)
    age = np.ceil(random.uniform(60, 120, 400))
    last = np.where(x > 0, np.ceil(age * random.beta(3, 1.5, 400)), 0.0)
    x = np.minimum(x, last)
    spend = random.gamma(3.0, 1 / random.gamma(3.0, 1 / 20.0, 400))
    return x, last, age, np.where(x > 0, spend, np.nan)


def test_each_kind_of_order_has_its_own_models(buyers: Any) -> None:
    x, last, age, spend = buyers
    kinds = np.where(np.arange(400) % 2, "coins", "shop")
    both = order_lifetimes(kinds, *buyers, 365.0, 12, 0.1, 50, 0.8)
    assert one_length(both) == 400
    coins = kinds == "coins"
    alone = order_lifetimes(
        kinds[coins], *(part[coins] for part in buyers), 365.0, 12, 0.1, 50, 0.8
    )
    for name, column in alone.items():
        assert column.tolist() == both[name][coins].tolist()
    model = fit_orders(x[coins], last[coins], age[coins], np.ones(coins.sum()), 50)
    assert alone["order_rate_shape"][0] == pytest.approx(model.r, rel=1e-6)
    again = coins & (x > 0)
    money = fit_spend(x[again], spend[again], np.ones(again.sum()), 50)
    assert alone["spend_shape"][0] == pytest.approx(money.p, rel=1e-5)
    assert alone["frequency_spend_correlation"][0] == pytest.approx(money.correlation, rel=1e-6)
    value = both["expected_orders"] * both["expected_spend_usd"]
    assert (both["lifetime_value_usd"] < value).all()
    assert (both["lifetime_value_usd"] > value / 1.1).all()


def test_reasons_leave_as_plain_text(buyers: Any) -> None:
    few = order_lifetimes(["coins"] * 9, *(part[:9] for part in buyers), 365.0, 12, 0.1, 50, 0.8)
    assert few["missing_reason"].tolist() == ["too_few_customers"] * 9
    assert {type(reason) for reason in few["missing_reason"]} == {str}
    x, last, age, _ = buyers
    free = order_lifetimes(
        ["coins"] * 400, x, last, age, np.where(x > 0, 5.0, np.nan), 365.0, 12, 0.1, 50, 0.8
    )
    assert set(free["missing_reason"]) == {"no_spread"}
    assert np.isfinite(free["expected_orders"]).all()
    assert np.isnan(free["lifetime_value_usd"]).all()


def test_orders_held_out_are_compared_in_total(buyers: Any) -> None:
    x, last, age, spend = buyers
    later = np.arange(400) % 3
    kinds, days = ["coins"] * 400, np.full(400, 56.0)
    table = order_hold_outs(kinds, x, last, age, spend * x, later, later * 4.0, days, 50, 0.8)
    assert one_length(table) == 1
    model = fit_orders(x, last, age, np.ones(400), 50)
    total = predict_orders(model, 56.0, x, last, age, np.ones(400), 0.8)
    assert table["predicted_orders"][0] == pytest.approx(total.predicted, rel=1e-5)
    assert table["order_days_count"][0] == later.sum()
    assert table["value"][0] == 4 * later.sum()
    assert table["is_covered"][0] is bool(total.low <= later.sum() <= total.high)
    with pytest.raises(ValueError, match="different times"):
        order_hold_outs(
            kinds, x, last, age, spend * x, later, later, np.arange(400.0), 50, 0.8
        )  # fmt: skip


def test_no_rows_give_no_rows() -> None:
    nothing: tuple[list[Any], ...] = ([],) * 8
    assert one_length(contract_lifetimes(*nothing[:5], {}, 0.1, 365.0, 50, 0.8)) == 0
    assert one_length(renewal_curve_table(*nothing[:5], 5, 50, 0.8)) == 0
    assert one_length(renewal_hold_outs(*nothing[:6], 50, 0.8)) == 0
    assert one_length(order_lifetimes(*nothing[:5], 365.0, 12, 0.1, 50, 0.8)) == 0
    assert one_length(order_hold_outs(*nothing, 50, 0.8)) == 0


# ---------------------------------------------------------------- what was planted
@pytest.mark.truth
@pytest.mark.parametrize("kind", ["coins", "all"])
def test_planted_spend_is_recovered(world: World, kind: str) -> None:
    planted = world.truth.planted["orders"]["spend_gamma_gamma"]
    rows = world.warehouse.query(
        "select repeat_days_count, monetary_mean_usd from intermediate.int_order_customers "
        f"where order_kind = '{kind}' and monetary_mean_usd > 0"
    )
    frequency, value = np.array(rows, dtype=float).T
    model = fit_spend(frequency, value, np.ones(len(rows)), 50)
    for name, found, error in zip(
        "pqv", (model.p, model.q, model.v), model.log_errors, strict=True
    ):
        assert abs(log(found / planted[name])) < SIGMAS * error, name
    # The mean is known well enough to tell a spend that is a fifth off.
    mean = planted["p"] * planted["v"] / (planted["q"] - 1)
    assert model.mean_value == pytest.approx(mean, rel=0.2)
    ((shape,),) = world.warehouse.query(
        f"select spend_shape from subscription.agg_order_lifetimes__kinds where order_kind = '{kind}'"
    )
    assert shape == pytest.approx(model.p, rel=1e-4)


@pytest.mark.truth
@pytest.mark.parametrize("plan", ["basic_week", "basic_month", "pro_month"])
def test_planted_renewals_are_recovered(world: World, plan: str) -> None:
    subscriptions = world.truth.planted["subscriptions"]
    chances = subscriptions["plans"][plan]

    def lost(factor: float) -> float:
        stays = 1 - factor * chances["cancel"] * (1 - subscriptions["reenable"])
        stays *= 1 - chances["payment_fails"] * (1 - subscriptions["recovers"])
        return float(1 - stays * (1 - subscriptions["refund"]))

    ((at_risk, found),) = world.warehouse.query(
        "select at_risk_count, lost_count from subscription.agg_renewal_curves "
        f"where plan_id = '{plan}' and renewal_number = 1"
    )
    # An experiment multiplies the chance to cancel by 1.6 for some.
    low, high = lost(1.0), lost(1.6)
    assert low - SIGMAS * sqrt(low * (1 - low) / at_risk) < found / at_risk
    assert found / at_risk < high + SIGMAS * sqrt(high * (1 - high) / at_risk)


@pytest.mark.truth
def test_orders_held_out_of_a_simulated_world_are_foreseen(world: World) -> None:
    rows = world.warehouse.query(
        "select order_kind, predicted_orders_low, predicted_orders_high, order_days_count "
        "from subscription.agg_order_holdouts"
    )
    assert len(rows) == 3
    for kind, low, high, found in rows:
        # The square of the 80 % factor is about that of 99 %.
        middle = sqrt(low * high)
        assert middle * (low / middle) ** 2 < found < middle * (high / middle) ** 2, kind
