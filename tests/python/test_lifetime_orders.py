"""Lifetimes without a contract: published estimates, exact sums, recovery, and the coverage promised."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betaln, hyp2f1
from scipy.stats import nbinom

from plumbline.statistics.lifetime import Missing, Unfitted, maximise_or_simplify
from plumbline.statistics.lifetime_noncontractual import (
    OrderModel,
    SpendModel,
    customer_values,
    expected_orders,
    expected_spend,
    fit_orders,
    fit_spend,
    order_log_likelihood,
    predict_orders,
    probability_alive,
    variance_of_orders,
)

# Fader, Hardie and Lee (2005) and Fader and Hardie (2013): CDNOW, a tenth of its new customers of early 1997.
CDNOW = (0.243, 4.414, 0.793, 2.426)
CDNOW_SPEND = (6.25, 3.74, 15.44)
NEW = ([0.0], [0.0], [0.0])
Array = NDArray[Any]


def parameters(model: OrderModel | SpendModel) -> tuple[float, ...]:
    if isinstance(model, OrderModel):
        return model.r, model.alpha, model.a, model.b
    return model.p, model.q, model.v


def simulated(
    random: np.random.Generator, truth: tuple[float, ...], customers: int, age: float, ahead: float
) -> tuple[Array, Array, Array, Array]:
    """Frequency, recency and age of customers who started over half the time, and their orders ahead."""
    r, alpha, a, b = truth
    ages = random.uniform(age / 2, age, customers)
    rates, chances = random.gamma(r, 1 / alpha, customers), random.beta(a, b, customers)
    seen, later = np.zeros((2, customers))
    last = np.zeros(customers)
    for i in range(customers):
        now = 0.0
        while (now := now + random.exponential(1 / rates[i])) < ages[i] + ahead:
            if now <= ages[i]:
                seen[i], last[i] = seen[i] + 1, now
            else:
                later[i] += 1
            if random.random() < chances[i]:
                break
    return seen, last, ages, later


def simulated_spend(
    random: np.random.Generator, truth: tuple[float, ...], frequency: Array
) -> Array:
    p, q, v = truth
    scales = random.gamma(q, 1 / v, len(frequency))
    return random.gamma(p * frequency, 1 / scales) / frequency


@pytest.fixture(scope="module")
def cdnow(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Customers of the purchase log, up to the end of September 1997, and what follows."""
    folder: Path = request.getfixturevalue("shared_data")
    until = dt.date(1997, 9, 30)
    rows, total, days = 0, Decimal(0), defaultdict(lambda: defaultdict(Decimal))  # type: ignore[var-annotated]
    for line in (folder / "cdnow_sample.txt").read_text(encoding="ascii").splitlines():
        _, customer, day, _, amount = line.split()
        rows, total = rows + 1, total + Decimal(amount)
        days[customer][dt.datetime.strptime(day, "%Y%m%d").date()] += Decimal(amount)
    table: dict[str, list[float]] = defaultdict(list)
    for orders in days.values():
        seen = sorted(day for day in orders if day <= until)
        table["frequency"].append(len(seen) - 1)
        table["recency"].append((seen[-1] - seen[0]).days / 7)
        table["age"].append((until - seen[0]).days / 7)
        paid = [float(orders[day]) for day in seen[1:]]
        table["value"].append(float(np.mean(paid)) if paid else 0.0)
        table["later"].append(len(orders) - len(seen))
    columns = {name: np.array(column) for name, column in table.items()}
    cases = json.loads((folder / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    return {
        **columns, "rows": rows, "total": total, "weights": np.ones(len(days)),
        "cases": {case["id"]: case for case in cases},
    }  # fmt: skip


@pytest.mark.shared
def test_cdnow_summary_has_the_published_facts(cdnow: dict[str, Any]) -> None:
    facts = cdnow["cases"]["cdnow_rfm_from_raw_in_sql"]
    sums = cdnow["cases"]["bgnbd_cdnow"]["inputs"]["sufficient"]
    assert cdnow["rows"] == facts["published"]["rows"]
    assert float(cdnow["total"]) == facts["published"]["sum_amount"]
    assert len(cdnow["frequency"]) == facts["published"]["customers"]
    assert cdnow["later"].sum() == facts["recomputed"]["holdout_customer_days"]
    assert cdnow["frequency"].sum() == sums["sum_frequency"]
    # The published sums are of weeks rounded to two places.
    assert cdnow["recency"].sum() == pytest.approx(sums["sum_recency"], abs=0.1)
    assert cdnow["age"].sum() == pytest.approx(sums["sum_T"], abs=0.1)
    first = cdnow["cases"]["gamma_gamma_cdnow"]["inputs"]["first10"]
    assert cdnow["frequency"][:10].tolist() == first["frequency"]
    assert cdnow["value"][:10] == pytest.approx(first["monetary_value"], abs=0.0051)


@pytest.mark.shared
def test_cdnow_orders(cdnow: dict[str, Any]) -> None:
    case = cdnow["cases"]["bgnbd_cdnow"]
    customers = [cdnow[name] for name in ("frequency", "recency", "age", "weights")]
    model = fit_orders(*customers, 50)
    for found, name in zip(parameters(model), ("r", "alpha", "a", "b"), strict=True):
        assert found == pytest.approx(case["published"][name], abs=case["tolerance"]["params"])
        assert found == pytest.approx(case["recomputed"][name], abs=2e-4)
    assert model.log_likelihood == pytest.approx(case["recomputed"]["log_likelihood"], abs=0.01)
    assert order_log_likelihood(*parameters(model), *customers) == pytest.approx(
        model.log_likelihood, abs=1e-8
    )
    times = [float(text) for text in case["published"]["E_X_t"]]
    expected = expected_orders(parameters(model), times, *NEW)[0]
    assert expected == pytest.approx(case["recomputed"]["E_X_t"], abs=2e-5)
    conditional = expected_orders(parameters(model), [39], [2.0], [30.43], [38.86])
    assert conditional[0, 0] == pytest.approx(
        case["recomputed"]["cond_E_Y_39_x2_tx3043_T3886"], abs=2e-5
    )


@pytest.mark.shared
def test_cdnow_spend(cdnow: dict[str, Any]) -> None:
    case = cdnow["cases"]["gamma_gamma_cdnow"]
    again = cdnow["frequency"] > 0
    frequency, value = cdnow["frequency"][again], cdnow["value"][again]
    model = fit_spend(frequency, value, np.ones(len(value)), 50)
    wanted = case["recomputed"]
    for found, name in zip(parameters(model), ("p", "q", "v"), strict=True):
        assert found == pytest.approx(case["published"][name], abs=case["tolerance"]["params"])
        assert found == pytest.approx(wanted[name], abs=0.005)
    assert model.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=0.01)
    assert model.correlation == pytest.approx(wanted["corr_frequency_monetary"], abs=1e-4)
    assert model.mean_value == pytest.approx(wanted["population_mean"], abs=1e-3)
    spends = expected_spend(parameters(model), cdnow["frequency"][:10], cdnow["value"][:10])
    assert spends == pytest.approx(wanted["E_M_first10"], abs=0.005)
    assert spends == pytest.approx(case["published"]["E_M_first10"], abs=case["tolerance"]["E_M"])


@pytest.mark.shared
def test_cdnow_hold_out(cdnow: dict[str, Any]) -> None:
    # The model falls 5 % of all orders short of what these customers did next, and a hold-out says so.
    customers = [cdnow[name] for name in ("frequency", "recency", "age", "weights")]
    total = predict_orders(fit_orders(*customers, 50), 39, *customers, 0.95)
    seen, later = cdnow["frequency"].sum(), cdnow["later"].sum()
    assert (seen + total.predicted) / (seen + later) == pytest.approx(0.947, abs=0.002)
    assert total.high < later


@pytest.mark.parametrize("x", [0, 1, 7])
def test_probability_alive_is_bayes_rule(x: int) -> None:
    r, alpha, a, b = CDNOW
    last, end = (12.5 if x else 0.0), 30.0
    stays = np.exp(betaln(a, b + x)) * (alpha + end) ** -(r + x)
    leaves = np.exp(betaln(a + 1, b + x - 1)) * (alpha + last) ** -(r + x) if x else 0.0
    value = probability_alive(CDNOW, [x], [last], [end])[0]
    assert value == pytest.approx(stays / (stays + leaves), rel=1e-12)


@pytest.mark.parametrize(
    "truth", [CDNOW, (0.8, 2.0, 1.0, 2.5), (3.0, 5.0, 0.02, 0.1), (0.5, 9.0, 40.0, 400.0)]
)
@pytest.mark.parametrize("ahead", [0.5, 39.0, 300.0])
def test_expected_orders_and_their_variance_are_the_sums_over_counts(
    truth: tuple[float, ...], ahead: float
) -> None:
    # P(X >= k) = E[(1 - P)^(k - 1)] P(NB >= k): no hypergeometric function, and a = 1 is no pole.
    x, last, end = 3.0, 11.0, 20.0
    r, alpha, a, b = truth
    size, rate = r + x, alpha + end
    k = np.arange(1, 20000)
    kept = np.exp(betaln(a, b + x + k - 1) - betaln(a, b + x))
    reached = kept * nbinom.sf(k - 1, size, rate / (rate + ahead))
    alive = probability_alive(truth, [x], [last], [end])[0]
    mean, square = alive * reached.sum(), alive * ((2 * k - 1) * reached).sum()
    customer = ([x], [last], [end])
    assert expected_orders(truth, [ahead], *customer)[0, 0] == pytest.approx(mean, rel=1e-10)
    variance = variance_of_orders(truth, [ahead], *customer)[0, 0]
    assert variance == pytest.approx(square - mean**2, rel=1e-8)


def test_expected_orders_against_the_published_formula() -> None:
    r, alpha, a, b = CDNOW
    for ahead, x, last, end in ((39, 2, 30.43, 38.86), (5, 0, 0, 10), (52, 29, 38, 38.9)):
        form = hyp2f1(r + x, b + x, a + b + x - 1, ahead / (alpha + end + ahead))
        value = 1 - ((alpha + end) / (alpha + end + ahead)) ** (r + x) * form
        value *= (a + b + x - 1) / (a - 1)
        value *= probability_alive(CDNOW, [x], [last], [end])[0]
        ours = expected_orders(CDNOW, [ahead], [x], [last], [end])[0, 0]
        assert ours == pytest.approx(value, rel=1e-9)


def test_expected_orders_have_no_pole_and_begin_at_0() -> None:
    beside = [
        expected_orders((0.5, 4.0, a, 2.0), [0, 30], *NEW)[0] for a in (1 - 1e-9, 1, 1 + 1e-9)
    ]
    assert beside[0][1] == pytest.approx(beside[1][1], rel=1e-8)
    assert beside[2][1] == pytest.approx(beside[1][1], rel=1e-8)
    assert beside[1][0] == 0
    with pytest.raises(ValueError, match="ahead"):
        expected_orders(CDNOW, [-1], *NEW)


def test_orders_recover_what_was_planted() -> None:
    truth = (0.8, 2.0, 0.8, 2.5)
    x, last, end, later = simulated(np.random.default_rng(5), truth, 4000, 30.0, 15.0)
    model = fit_orders(x, last, end, np.ones(4000), 50)
    missed = np.abs(np.log(np.array(parameters(model)) / truth)) / model.log_errors
    assert (missed < 3).all()
    assert (model.log_errors < 0.5).all()
    total = predict_orders(model, 15.0, x, last, end, np.ones(4000), 0.99)
    assert total.low < later.sum() < total.high
    # Alive is not seen, but it shows: customers of an equal chance order in that proportion of the living.
    sure = probability_alive(parameters(model), x, last, end) > 0.8
    each = expected_orders(parameters(model), [15.0], x, last, end)[:, 0]
    for group in (sure, ~sure):
        assert each[group].sum() == pytest.approx(later[group].sum(), rel=0.12)


def test_orders_drawn_from_the_model_give_its_parameters_back() -> None:
    """Many draws from BG/NBD itself: no bias, and standard errors as large as the scatter.

    In units of its standard error an estimate scatters by 1. The mean of 30 is held to four times
    1 / sqrt(30), their standard deviation to four times 1 / sqrt(60) from 1.
    """
    truth, runs, scores = (0.8, 2.0, 0.8, 2.5), 30, []
    for seed in range(runs):
        x, last, end, _ = simulated(np.random.default_rng(200 + seed), truth, 3000, 30.0, 0.0)
        model = fit_orders(x, last, end, np.ones(3000), 50)
        scores.append(np.log(np.array(parameters(model)) / truth) / model.log_errors)
    mean, spread = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
    assert np.abs(mean).max() <= 4 / np.sqrt(runs), mean
    assert np.abs(spread - 1).max() <= 4 / np.sqrt(2 * runs), spread


def test_prediction_intervals_cover_what_they_promise() -> None:
    random, hits = np.random.default_rng(17), 0
    for _ in range(40):
        x, last, end, later = simulated(random, (0.8, 2.0, 0.8, 2.5), 250, 24.0, 12.0)
        model = fit_orders(x, last, end, np.ones(250), 50)
        total = predict_orders(model, 12.0, x, last, end, np.ones(250), 0.8)
        hits += total.low <= later.sum() <= total.high
    assert 0.68 <= hits / 40 <= 0.92


def test_spend_recovers_what_was_planted() -> None:
    random = np.random.default_rng(9)
    frequency = random.geometric(0.4, 4000).astype(float)
    value = simulated_spend(random, CDNOW_SPEND, frequency)
    model = fit_spend(frequency, value, np.ones(4000), 50)
    missed = np.abs(np.log(np.array(parameters(model)) / CDNOW_SPEND)) / model.log_errors
    assert (missed < 3).all()
    assert abs(model.correlation) < 0.05
    assert model.mean_value == pytest.approx(6.25 * 15.44 / 2.74, rel=0.05)


def test_equal_customers_may_be_grouped_and_units_do_not_matter() -> None:
    x, last, end, _ = simulated(np.random.default_rng(2), (0.8, 2.0, 0.8, 2.5), 300, 30.0, 1.0)
    once = fit_orders(x, last, end, np.full(300, 3.0), 50)
    three = fit_orders(*(np.tile(column, 3) for column in (x, last, end)), np.ones(900), 50)
    assert parameters(once) == pytest.approx(parameters(three), rel=1e-6)
    assert once.log_errors == pytest.approx(three.log_errors, rel=1e-4)
    days = fit_orders(x, last * 7, end * 7, np.full(300, 3.0), 50)
    assert days.alpha == pytest.approx(7 * once.alpha, rel=1e-6)
    assert (days.r, days.a, days.b) == pytest.approx((once.r, once.a, once.b), rel=1e-6)
    assert days.log_likelihood == pytest.approx(once.log_likelihood - 3 * x.sum() * np.log(7))
    again = x > 0
    value = simulated_spend(np.random.default_rng(3), CDNOW_SPEND, x[again])
    dollars = fit_spend(x[again], value, np.ones(again.sum()), 50)
    cents = fit_spend(x[again], value * 100, np.ones(again.sum()), 50)
    assert cents.v == pytest.approx(100 * dollars.v, rel=1e-5)
    assert cents.log_likelihood == pytest.approx(
        dollars.log_likelihood - again.sum() * np.log(100), rel=1e-9
    )


@pytest.mark.parametrize(
    ("x", "last", "end", "minimum", "reason"),
    [
        ([1], [2], [9], 2, Missing.TOO_FEW_CUSTOMERS),
        ([], [], [], 0, Missing.TOO_FEW_CUSTOMERS),
        ([0] * 60, [0] * 60, [9] * 60, 50, Missing.NO_REPEAT_ORDERS),
        ([0, 0], [0, 0], [0, 0], 1, Missing.NO_REPEAT_ORDERS),
    ],
)
def test_customers_without_an_answer_say_why(
    x: list[float], last: list[float], end: list[float], minimum: int, reason: Missing
) -> None:
    model = fit_orders(x, last, end, np.ones(len(x)), minimum)
    assert model.reason is reason
    assert np.isnan(parameters(model)).all()
    assert np.isnan(predict_orders(model, 5, x, last, end, np.ones(len(x)), 0.8).low)
    spend = fit_spend([2, 3, 1], [5.0, 9.0, 2.0], [1, 1, 1], 50)
    values = customer_values(model, spend, [2], [3], [9], [5.0], 52, 12, 0.01, 0.8)
    assert np.isnan(values.orders).all()
    assert values.reasons.tolist() == [reason]


@pytest.mark.parametrize(
    ("value", "minimum", "reason"),
    [
        ([5.0, 5.0, 5.0, 5.0], 1, Missing.NO_SPREAD),
        ([5.0, 6.0, 7.0, 8.0], 5, Missing.TOO_FEW_CUSTOMERS),
    ],
)
def test_spends_without_an_answer_say_why(
    value: list[float], minimum: int, reason: Missing
) -> None:
    model = fit_spend([1, 2, 3, 2], value, np.ones(4), minimum)
    assert model.reason is reason
    assert np.isnan(parameters(model)).all()
    assert np.isnan(model.mean_value)


def alike(
    random: np.random.Generator, rate: float, chance: float, customers: int
) -> tuple[Array, ...]:
    """Customers of one rate and one chance to leave: frequency, recency and age."""
    rows = []
    for age in random.uniform(15, 30, customers):
        times: list[float] = []
        now = 0.0
        while (now := now + random.exponential(1 / rate)) <= age:
            times.append(now)
            if random.random() < chance:
                break
        rows.append((len(times), times[-1] if times else 0.0, age))
    return tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))


def test_customers_who_are_alike_are_the_simpler_model() -> None:
    customers = alike(np.random.default_rng(3), 0.2, 0.1, 1500)
    model = fit_orders(*customers, np.ones(1500), 50)
    assert model.reason is None
    assert model.edge is not None
    assert "alike" in model.edge
    assert model.r / model.alpha == pytest.approx(0.2, rel=0.1)
    assert model.a / (model.a + model.b) == pytest.approx(0.1, rel=0.2)
    total = predict_orders(model, 20, *customers, np.ones(1500), 0.8)
    assert total.low < total.predicted < total.high


def test_customers_who_never_leave_are_the_simpler_model() -> None:
    customers = alike(np.random.default_rng(6), 0.2, 0.0, 800)
    model = fit_orders(*customers, np.ones(800), 50)
    assert model.edge == "rates_alike+nobody_leaves+leaving_alike"
    assert (probability_alive(parameters(model), *customers) > 0.95).all()
    # Nobody leaves, so everybody goes on at the rate seen, which alone is in doubt.
    rate = customers[0].sum() / customers[2].sum()
    total = predict_orders(model, 20, *customers, np.ones(800), 0.8)
    assert total.predicted == pytest.approx(rate * 20 * 800, rel=0.01)
    doubt = 1.2816 * 20 * 800 * np.sqrt(rate / (20 * 800) + rate / customers[2].sum())
    assert total.high - total.low == pytest.approx(2 * doubt, rel=0.05)


@pytest.mark.parametrize("customers", [1, 60])
def test_one_customer_or_equal_customers_go_on_as_they_did(customers: int) -> None:
    x, last, end = ([number] * customers for number in (4, 8, 9))
    model = fit_orders(x, last, end, np.ones(customers), 1)
    assert model.edge == "rates_alike+nobody_leaves+leaving_alike"
    total = predict_orders(model, 9, x, last, end, np.ones(customers), 0.8)
    assert total.predicted == pytest.approx(4 * customers, rel=0.01)
    assert total.high / total.low > 1 + 1 / customers**0.5


def test_spends_of_customers_who_are_alike_are_the_simpler_model() -> None:
    random = np.random.default_rng(7)
    frequency = random.geometric(0.4, 2000).astype(float)
    value = random.gamma(4.0 * frequency, 10 / 4.0) / frequency
    model = fit_spend(frequency, value, np.ones(2000), 50)
    assert model.edge == "customers_alike"
    assert model.mean_value == pytest.approx(10.0, rel=0.02)
    # Nobody's own orders say anything about the next.
    spends = expected_spend(parameters(model), [5, 5], [6.0, 14.0])
    assert spends == pytest.approx([10.0, 10.0], rel=0.05)
    assert fit_spend([1, 2, 3, 2], [5.0, 5.0, 5.0, 5.001], np.ones(4), 1).mean_value == (
        pytest.approx(5.0, rel=0.01)
    )


def test_a_simpler_model_must_fit_as_well() -> None:
    # A ridge whose top lies beyond the bounds, 30 above where the simpler model is.
    def rising(place: Array) -> tuple[float, Array]:
        return float(3 * place[1] - place[0] ** 2), np.array([-2 * place[0], 3.0])

    with pytest.raises(Unfitted, match="on_the_edge"):
        maximise_or_simplify(rising, [(1.0, 0.0)], [(-5, 5), (-5, 5)], 1, [(1,)])

    def level(place: Array) -> tuple[float, Array]:
        return float(0.05 * place[1] - place[0] ** 2), np.array([-2 * place[0], 0.05])

    found = maximise_or_simplify(level, [(1.0, 0.0)], [(-5, 5), (-5, 5)], 1, [(1,)])
    assert found.at_edge.tolist() == [False, True]
    assert found.place == pytest.approx([0, -5], abs=1e-6)


@pytest.mark.parametrize(
    ("x", "last", "end", "weight"),
    [
        ([0], [1.0], [2.0], [1]),
        ([1], [3.0], [2.0], [1]),
        ([1], [-1.0], [2.0], [1]),
        ([1.5], [1.0], [2.0], [1]),
        ([1], [1.0], [2.0], [-1]),
        ([1, 2], [1.0], [2.0], [1]),
        ([1], [np.nan], [2.0], [1]),
    ],
)
def test_customers_that_cannot_be_are_refused(
    x: list[float], last: list[float], end: list[float], weight: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"recency|frequency|length|finite"):
        fit_orders(x, last, end, weight, 1)


def test_spends_that_cannot_be_are_refused() -> None:
    for frequency, value in (([0], [1.0]), ([1], [0.0]), ([1], [-2.0])):
        with pytest.raises(ValueError, match="frequency is 1"):
            fit_spend(frequency, value, [1], 1)


@pytest.fixture(scope="module")
def models() -> tuple[OrderModel, SpendModel, tuple[Array, ...]]:
    random = np.random.default_rng(23)
    x, last, end, _ = simulated(random, (0.8, 2.0, 0.8, 2.5), 800, 30.0, 1.0)
    again = x > 0
    value = np.zeros(800)
    value[again] = simulated_spend(random, CDNOW_SPEND, x[again])
    orders = fit_orders(x, last, end, np.ones(800), 50)
    return (
        orders,
        fit_spend(x[again], value[again], np.ones(again.sum()), 50),
        (x, last, end, value),
    )


def test_value_is_orders_times_spend_and_a_discount_lowers_it(
    models: tuple[OrderModel, SpendModel, tuple[Array, ...]],
) -> None:
    orders, spend, customers = models
    plain = customer_values(orders, spend, *customers, 52, 12, 0.0, 0.8)
    assert plain.value == pytest.approx(plain.orders * plain.spend, rel=1e-12)
    one = customer_values(orders, spend, *customers, 52, 1, 0.1, 0.8)
    assert one.value == pytest.approx(plain.value / 1.1**0.5, rel=1e-12)
    monthly = customer_values(orders, spend, *customers, 52, 12, 0.1, 0.8)
    assert (monthly.value < plain.value).all()
    longer = customer_values(orders, spend, *customers, 104, 24, 0.0, 0.8)
    assert (longer.value > plain.value).all()
    assert set(plain.reasons) == {None}


def test_intervals_hold_their_value_and_chances_stay_chances(
    models: tuple[OrderModel, SpendModel, tuple[Array, ...]],
) -> None:
    orders, spend, customers = models
    narrow = customer_values(orders, spend, *customers, 52, 12, 0.01, 0.5)
    wide = customer_values(orders, spend, *customers, 52, 12, 0.01, 0.95)
    for name in ("alive", "orders", "value"):
        lower, middle, upper = (getattr(wide, name + end) for end in ("_low", "", "_high"))
        assert (lower <= middle).all()
        assert (middle <= upper).all()
        assert (getattr(narrow, f"{name}_low") >= lower).all()
    assert (wide.alive_high <= 1).all()
    silent = customers[0] == 0
    assert (wide.alive[silent] == 1).all()
    assert (wide.alive_low[silent] == 1).all()
    assert (wide.alive_low[~silent] < wide.alive[~silent]).all()


def test_intervals_of_the_expectation_cover_the_truth() -> None:
    # Expected orders of one kind of customer, estimated from many worlds, against the planted parameters.
    truth, random, hits = (0.8, 2.0, 0.8, 2.5), np.random.default_rng(31), 0
    exact = expected_orders(truth, [26], [2.0], [10.0], [20.0])[0, 0]
    spend = fit_spend([2, 3, 1], [5.0, 9.0, 2.0], [1, 1, 1], 50)
    for _ in range(40):
        x, last, end, _ = simulated(random, truth, 400, 30.0, 0.0)
        model = fit_orders(x, last, end, np.ones(400), 50)
        value = customer_values(model, spend, [2], [10.0], [20.0], [0.0], 26, 1, 0.0, 0.8)
        hits += value.orders_low[0] <= exact <= value.orders_high[0]
        assert value.reasons.tolist() == [Missing.TOO_FEW_CUSTOMERS]
        assert np.isnan(value.value[0])
    assert 0.68 <= hits / 40 <= 0.92


def test_a_mean_spend_that_is_infinite_is_no_number() -> None:
    random = np.random.default_rng(41)
    frequency = np.full(3000, 2.0)
    value = simulated_spend(random, (3.0, 0.7, 10.0), frequency)
    model = fit_spend(frequency, value, np.ones(3000), 50)
    assert model.q < 1
    assert np.isnan(model.mean_value)
    x, last, end, _ = simulated(random, (0.8, 2.0, 0.8, 2.5), 300, 30.0, 0.0)
    orders = fit_orders(x, last, end, np.ones(300), 50)
    customers = ([0, 2], [0.0, 10.0], [20.0, 20.0], [0.0, 8.0])
    values = customer_values(orders, model, *customers, 26, 1, 0.0, 0.8)
    assert values.reasons.tolist() == [Missing.INFINITE_MEAN, None]
    assert np.isnan(values.value).tolist() == [True, False]
    assert values.orders[0] > 0
