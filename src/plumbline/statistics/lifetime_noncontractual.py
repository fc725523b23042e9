"""Lifetimes without a contract: how often, how long and for how much a customer will still order.

Orders: BG/NBD (Fader, Hardie and Lee 2005, *Counting your customers the easy way*). While alive a customer
orders at a rate of his own, the rates Gamma(r, alpha) over customers; after each order he leaves with a
chance of his own, the chances Beta(a, b). Nobody sees him leave: a customer is known by ``frequency`` (orders
after the first), ``recency`` (time from the first to the last) and ``age`` (time from the first to the end of
observation). Several orders of one day are one order.

Money: Gamma-Gamma (Fader and Hardie 2013, note 025). The mean order of a customer varies around a mean of his
own; the orders of a customer are Gamma with shape p, their scales Gamma(q, v) over customers, independent of
how often he orders: look at the correlation beside the fit.

Given that he is alive at the end of observation, the posterior of a customer is again Gamma(r + x, alpha + T)
and Beta(a, b + x), so that his future is that of a new customer with these parameters. Its moments are
integrals of smooth positive functions over the Beta, done here by Gauss-Jacobi quadrature: the 2F1 of the
paper has a removable pole at a = 1 and loses all digits near it.

Equal customers may be grouped: every function takes weights or one row for many. Intervals are the delta
method on the observed information.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import betainc, digamma, expit, gammaln, log_expit

from plumbline.statistics.lifetime import (
    Bools,
    Floats,
    Missing,
    Optimum,
    Unfitted,
    columns_of,
    maximise_or_simplify,
    spread,
)

# Coordinates of BG/NBD: log(r / alpha), the mean rate; log(1 / r), how far rates differ; the logit of
# a / (a + b), the mean chance to leave; log(1 / (a + b)), how far the chances differ. Customers who are alike
# are the lower edge of the second and the fourth, customers who never leave that of the third.
ORDER_BOUNDS = ((-15.0, 15.0), (-7.0, 9.0), (-9.0, 9.0), (-7.0, 7.0))
ORDER_STARTS = ((0.0, 0.0, 0.0, -0.7), (0.0, 1.5, -1.0, -1.0), (0.0, -1.0, -3.0, -1.0))
ORDER_SIMPLER = ((3,), (1,), (2, 3), (1, 3), (1, 2, 3))
ORDER_EDGES = ("", "rates_alike", "nobody_leaves", "leaving_alike")
# Coordinates of Gamma-Gamma: log(p v / q), about the mean; log(1 / p), how far orders of a customer differ;
# log(1 / q), how far customers do.
SPEND_BOUNDS = ((-15.0, 15.0), (-7.0, 9.0), (-7.0, 9.0))
SPEND_STARTS = ((0.0, -1.0, -1.0), (0.0, 0.0, -0.5), (0.0, -2.0, 0.0))
SPEND_SIMPLER = ((2,), (1,))
SPEND_EDGES = ("", "orders_alike", "customers_alike")


@dataclass(frozen=True)
class OrderModel:
    """BG/NBD fit; the parameters are NaN where ``reason`` says why there is none.

    Attributes:
        r, alpha: Gamma of the order rates: shape, and rate in units of time.
        a, b: Beta of the chances to leave after an order.
        log_errors: standard errors of the logarithms of r, alpha, a, b.
        log_likelihood: at the maximum.
        customers, repeaters: customers, and those with a repeat order.
        reason: why there is no fit, else None.
        edge: which simpler model the fit has become (rates_alike, nobody_leaves, leaving_alike), else None;
            its large parameters stand for infinite ones.
        optimum: maximum over the coordinates, None without a fit.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_errors: Floats
    log_likelihood: float
    customers: float
    repeaters: float
    reason: Missing | None
    edge: str | None
    optimum: Optimum | None


@dataclass(frozen=True)
class SpendModel:
    """Gamma-Gamma fit; the parameters are NaN where ``reason`` says why there is none.

    Attributes:
        p: shape of the orders of a customer.
        q, v: Gamma of their scales over customers: shape, and rate in units of money.
        log_errors: standard errors of the logarithms of p, q, v.
        log_likelihood: at the maximum.
        customers: customers with a repeat order.
        mean_value: expected order of a new customer, p v / (q - 1); NaN where infinite (q <= 1).
        correlation: of frequency and value over these customers; the model takes it as 0. NaN where either
            does not vary.
        reason: why there is no fit, else None.
        edge: which simpler model the fit has become (orders_alike, customers_alike), else None; its large
            parameters stand for infinite ones.
        optimum: maximum over the coordinates, None without a fit.
    """

    p: float
    q: float
    v: float
    log_errors: Floats
    log_likelihood: float
    customers: float
    mean_value: float
    correlation: float
    reason: Missing | None
    edge: str | None
    optimum: Optimum | None


@dataclass(frozen=True)
class CustomerValues:
    """What is expected of each row, arrays of its shape; NaN where a model or a mean does not exist.

    Attributes:
        alive, alive_low, alive_high: chance to be still a customer.
        orders, orders_low, orders_high: expected orders within the horizon.
        spend: expected value of an order.
        value, value_low, value_high: expected discounted value of the orders within the horizon. Intervals
            are of the expectation: they hold the doubt about the parameters, not the luck of a customer.
        reasons: why there is no value, else None.
    """

    alive: Floats
    alive_low: Floats
    alive_high: Floats
    orders: Floats
    orders_low: Floats
    orders_high: Floats
    spend: Floats
    value: Floats
    value_low: Floats
    value_high: Floats
    reasons: NDArray[np.object_]


@dataclass(frozen=True)
class OrderTotal:
    """Orders of many customers together, and a prediction interval: doubt about parameters and luck."""

    predicted: float
    low: float
    high: float


def fit_orders(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike,
    minimum_customers: int,
) -> OrderModel:  # fmt: skip
    """Maximum likelihood fit of BG/NBD.

    Args:
        frequency: orders after the first, whole, 0 or more.
        recency: time from the first to the last order; 0 exactly where frequency is 0.
        age: time from the first order to the end of observation, at least recency.
        weights: customers of each row.
        minimum_customers: fewer customers get no fit.

    Raises:
        ValueError: a number is out of its range.
    """
    x, last, end, weight = _customers(frequency, recency, age, weights)
    count, repeaters = float(weight.sum()), float(weight[x > 0].sum())

    def missing(reason: Missing) -> OrderModel:
        nan = np.nan
        nothing = np.full(4, nan)
        return OrderModel(nan, nan, nan, nan, nothing, nan, count, repeaters, reason, None, None)

    if count < max(minimum_customers, 1):
        return missing(Missing.TOO_FEW_CUSTOMERS)
    if repeaters == 0 or not (end > 0).any():
        return missing(Missing.NO_REPEAT_ORDERS)
    unit = float(weight @ end) / count
    try:
        found = maximise_or_simplify(
            lambda place: _order_score(place, x, last / unit, end / unit, weight),
            ORDER_STARTS, ORDER_BOUNDS, count, ORDER_SIMPLER,
        )  # fmt: skip
    except Unfitted as reason:
        return missing(reason.reason)
    shift = np.array([-np.log(unit), 0.0, 0.0, 0.0])
    optimum = Optimum(
        found.place + shift, found.height - float(weight @ x) * np.log(unit), found.covariance,
        found.at_edge,
    )  # fmt: skip
    r, alpha, a, b = (float(parameter) for parameter in _order_parameters(optimum.place))
    errors = spread(lambda place: np.log(_order_parameters(place)), optimum)
    return OrderModel(
        r, alpha, a, b, errors, optimum.height, count, repeaters, None,
        _edge(optimum, ORDER_EDGES), optimum,
    )  # fmt: skip


def fit_spend(
    frequency: ArrayLike, value: ArrayLike, weights: ArrayLike, minimum_customers: int
) -> SpendModel:
    """Maximum likelihood fit of Gamma-Gamma to the customers with a repeat order.

    Args:
        frequency: orders whose mean is ``value``, 1 or more.
        value: mean value of these orders, above 0.
        weights: customers of each row.
        minimum_customers: fewer customers get no fit.

    Raises:
        ValueError: a number is out of its range.
    """
    x, m, weight = columns_of(frequency, value, weights)
    if (x < 1).any() or (m <= 0).any() or (weight < 0).any():
        raise ValueError("frequency is 1 or more, value above 0, weights 0 or more")
    count = float(weight.sum())
    correlation = _correlation(x, m, weight) if count else np.nan

    def missing(reason: Missing) -> SpendModel:
        nan = np.nan
        nothing = np.full(3, nan)
        return SpendModel(nan, nan, nan, nothing, nan, count, nan, correlation, reason, None, None)

    if count < max(minimum_customers, 1):
        return missing(Missing.TOO_FEW_CUSTOMERS)
    if np.ptp(m[weight > 0]) <= 1e-9 * m.max():
        return missing(Missing.NO_SPREAD)
    unit = float(weight @ m) / count
    try:
        found = maximise_or_simplify(
            lambda place: _spend_score(place, x, m / unit, weight),
            SPEND_STARTS, SPEND_BOUNDS, count, SPEND_SIMPLER,
        )  # fmt: skip
    except Unfitted as reason:
        return missing(reason.reason)
    shift = np.array([np.log(unit), 0.0, 0.0])
    optimum = Optimum(
        found.place + shift, found.height - count * np.log(unit), found.covariance, found.at_edge
    )
    p, q, v = (float(parameter) for parameter in _spend_parameters(optimum.place))
    errors = spread(lambda place: np.log(_spend_parameters(place)), optimum)
    return SpendModel(
        p, q, v, errors, optimum.height, count, p * v / (q - 1) if q > 1 else np.nan, correlation,
        None, _edge(optimum, SPEND_EDGES), optimum,
    )  # fmt: skip


def order_log_likelihood(
    r: float, alpha: float, a: float, b: float,
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike,
) -> float:  # fmt: skip
    """Log-likelihood of BG/NBD; Fader, Hardie and Lee (2005), equation 6.

    Raises:
        ValueError: a parameter or a number is out of its range.
    """
    if min(r, alpha, a, b) <= 0:
        raise ValueError("parameters must be positive")
    x, last, end, weight = _customers(frequency, recency, age, weights)
    return _order_likelihood(np.log([r, alpha, a, b]), x, last, end, weight)[0]


def probability_alive(
    parameters: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Chance that a customer has not left by the end of observation.

    Formula: 1 / (1 + a / (b + x - 1) ((alpha + T) / (alpha + t_x))^(r + x)), and 1 without a repeat order:
    one leaves after an order, and the first does not count. Source: Fader, Hardie and Lee (2008), note 021.

    Args:
        parameters: r, alpha, a, b.
        frequency, recency, age: customers.
    """
    r, alpha, a, b = np.asarray(parameters, dtype=np.float64)
    x, last, end = columns_of(frequency, recency, age)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        odds = np.log(a) - np.log(b + x - 1) + (r + x) * np.log((alpha + end) / (alpha + last))
        return np.where(x > 0, 1 / (1 + np.exp(odds)), 1.0)


def expected_orders(
    parameters: ArrayLike,
    ahead: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Orders expected within a time after the end of observation; Fader, Hardie and Lee (2005), equation 10.

    Formula: P(alive) times the mean over P ~ Beta(a, b + x) of (1 - (1 + P t / A)^-R) / P, with
    R = r + x and A = alpha + T. A new customer has frequency, recency and age 0.

    Args:
        parameters: r, alpha, a, b.
        ahead: times looked ahead, shape (k,), 0 or more.
        frequency, recency, age: customers, shape (n,).

    Returns:
        Expected orders, shape (n, k).
    """
    return _moments(parameters, ahead, frequency, recency, age, False)[0]


def variance_of_orders(
    parameters: ArrayLike,
    ahead: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Variance of the orders within a time after the end of observation, given the parameters.

    Formula: E[X (X - 1)] given P is 2 (1 - P) P(NB >= 2) / P^2, NB negative binomial with size R and mean
    P t R / A; from the generating function of the count at 1 - P.

    Args:
        parameters, ahead, frequency, recency, age: as of :func:`expected_orders`.

    Returns:
        Variances, shape (n, k).
    """
    mean, pairs = _moments(parameters, ahead, frequency, recency, age, True)
    return np.asarray(pairs + mean - mean**2)


def expected_spend(parameters: ArrayLike, frequency: ArrayLike, value: ArrayLike) -> Floats:
    """Expected value of an order of each customer; Fader and Hardie (2013), equation 5.

    Formula: p (v + x m) / (p x + q - 1): between the mean of the customer and that of all; NaN where
    p x + q <= 1, where it is infinite.

    Args:
        parameters: p, q, v.
        frequency: orders behind the mean, 0 or more.
        value: mean value of these orders; any number where frequency is 0.
    """
    p, q, v = np.asarray(parameters, dtype=np.float64)
    x, m = columns_of(frequency, value)
    below = p * x + q - 1
    with np.errstate(divide="ignore"):
        return np.where(below > 0, p * (v + x * m) / np.where(below > 0, below, 1.0), np.nan)


def customer_values(
    orders: OrderModel,
    spend: SpendModel,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    value: ArrayLike,
    horizon: float,
    steps: int,
    discount_rate: float,
    level: float,
) -> CustomerValues:
    """Expected future of customers within a horizon, discounted, with delta-method intervals.

    The horizon is cut into equal steps, and the orders of a step are discounted from its middle. Orders and
    spend are fitted apart, so their parameters are independent.

    Args:
        orders, spend: fits.
        frequency, recency, age: customers.
        value: mean value of their repeat orders; any number where there is none.
        horizon: time ahead, in the unit of ``age``.
        steps: cuts of the horizon, 1 or more.
        discount_rate: per step, 0 or more.
        level: coverage of the intervals.

    Raises:
        ValueError: a number is out of its range.
    """
    if not (0 < level < 1 and horizon > 0 and steps >= 1 and discount_rate >= 0):
        raise ValueError(
            "level is between 0 and 1, horizon and steps above 0, no negative discount"
        )
    x, last, end = columns_of(frequency, recency, age)
    paid = np.where(x > 0, np.asarray(value, dtype=np.float64), 0.0)
    size = len(x)
    nothing = np.full(size, np.nan)
    if orders.optimum is None:
        reasons = np.full(size, orders.reason, dtype=object)
        return CustomerValues(
            nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
            reasons,
        )  # fmt: skip
    times = np.linspace(horizon / steps, horizon, steps)
    weight = (1 + discount_rate) ** -(np.arange(steps) + 0.5)

    def future(place: Floats) -> Floats:
        parameters = _order_parameters(place)
        expected = expected_orders(parameters, times, x, last, end)
        gains = np.diff(expected, axis=1, prepend=0.0)
        alive = probability_alive(parameters, x, last, end)
        return np.concatenate([alive, expected[:, -1], gains @ weight])

    alive, ordered, discounted = future(orders.optimum.place).reshape(3, size)
    alive_error, ordered_error, discounted_error = spread(future, orders.optimum).reshape(3, size)
    deviation = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        # On the logit scale, so that a chance keeps within 0 and 1; at 1 there is no doubt.
        swing = np.where(alive < 1, deviation * alive_error / (alive * (1 - alive)), 0.0)
        odds = alive / (1 - alive)
        alive_low = np.where(alive < 1, 1 / (1 + np.exp(swing) / odds), 1.0)
        alive_high = np.where(alive < 1, 1 / (1 + np.exp(-swing) / odds), 1.0)
    ordered_low, ordered_high = _positive_interval(ordered, ordered_error / ordered, deviation)
    each, value_low, value_high, worth = nothing, nothing, nothing, nothing
    reasons = np.full(size, spend.reason, dtype=object)
    if spend.optimum is not None:
        each = expected_spend(_spend_parameters(spend.optimum.place), x, paid)
        each_error = spread(
            lambda place: expected_spend(_spend_parameters(place), x, paid), spend.optimum
        )
        worth = discounted * each
        relative = np.hypot(discounted_error / discounted, each_error / each)
        value_low, value_high = _positive_interval(worth, relative, deviation)
        reasons[np.isnan(each)] = Missing.INFINITE_MEAN
    return CustomerValues(
        alive, alive_low, alive_high, ordered, ordered_low, ordered_high,
        each, worth, value_low, value_high, reasons,
    )  # fmt: skip


def predict_orders(
    model: OrderModel,
    ahead: float,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weights: ArrayLike,
    level: float,
) -> OrderTotal:
    """Orders of all customers together within a time ahead: to compare with a hold-out.

    The interval is normal on the scale of the logarithm; its variance adds the delta method's for the
    parameters and the variances of the customers' counts.

    Args:
        model: fit; without one the result is NaN.
        ahead: time ahead, above 0.
        frequency, recency, age, weights: customers.
        level: coverage of the interval.
    """
    if not (0 < level < 1 and ahead > 0):
        raise ValueError("level is between 0 and 1, ahead above 0")
    if model.optimum is None:
        return OrderTotal(np.nan, np.nan, np.nan)
    x, last, end, weight = _customers(frequency, recency, age, weights)

    def total(place: Floats) -> Floats:
        return np.array(
            [weight @ expected_orders(_order_parameters(place), [ahead], x, last, end)[:, 0]]
        )

    predicted = float(total(model.optimum.place)[0])
    doubt = float(spread(total, model.optimum)[0])
    luck = float(
        weight
        @ variance_of_orders(_order_parameters(model.optimum.place), [ahead], x, last, end)[:, 0]
    )
    error = np.sqrt(doubt**2 + luck) / predicted
    low, high = _positive_interval(
        np.array([predicted]), np.array([error]), NormalDist().inv_cdf((1 + level) / 2)
    )
    return OrderTotal(predicted, float(low[0]), float(high[0]))


def _customers(*columns: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    x, last, end, weight = columns_of(*columns)
    if (x < 0).any() or (x != np.floor(x)).any() or (weight < 0).any():
        raise ValueError("frequency is whole and 0 or more, weights 0 or more")
    if (last < 0).any() or (last > end).any() or (end < 0).any() or ((x == 0) & (last > 0)).any():
        raise ValueError("recency is between 0 and age, 0 without a repeat order")
    return x, last, end, weight


def _edge(optimum: Optimum, names: tuple[str, ...]) -> str | None:
    found = [name for name, there in zip(names, optimum.at_edge, strict=True) if there and name]
    return "+".join(found) or None


def _order_parameters(place: Floats) -> Floats:
    """r, alpha, a, b at the coordinates of BG/NBD."""
    mean, apart, leaving, various = place
    logs = [-apart, -apart - mean, log_expit(leaving) - various, log_expit(-leaving) - various]
    return np.asarray(np.exp(np.array(logs)), dtype=np.float64)


def _spend_parameters(place: Floats) -> Floats:
    """p, q, v at the coordinates of Gamma-Gamma."""
    mean, within, between = place
    return np.asarray(np.exp([-within, -between, mean + within - between]), dtype=np.float64)


def _order_score(
    place: Floats, x: Floats, last: Floats, end: Floats, weight: Floats
) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in the coordinates of BG/NBD."""
    height, score = _order_likelihood(np.log(_order_parameters(place)), x, last, end, weight)
    share = expit(place[2])
    by_r, by_alpha, by_a, by_b = score
    return height, np.array(
        [-by_alpha, -by_r - by_alpha, by_a * (1 - share) - by_b * share, -by_a - by_b]
    )


def _spend_score(place: Floats, x: Floats, m: Floats, weight: Floats) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in the coordinates of Gamma-Gamma."""
    height, (by_p, by_q, by_v) = _spend_likelihood(np.log(_spend_parameters(place)), x, m, weight)
    return height, np.array([by_v, by_v - by_p, -by_q - by_v])


def _order_likelihood(
    place: Floats, x: Floats, last: Floats, end: Floats, weight: Floats
) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in the logarithms of r, alpha, a, b."""
    r, alpha, a, b = np.exp(place)
    repeats: Bools = x > 0
    after = np.where(repeats, b + x - 1, 1.0)
    stays = -(r + x) * np.log(alpha + end)
    leaves = np.where(repeats, np.log(a / after) - (r + x) * np.log(alpha + last), -np.inf)
    both = np.logaddexp(stays, leaves)
    height = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both
    height += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    left = np.exp(leaves - both)
    mean_log = (1 - left) * np.log(alpha + end) + left * np.log(alpha + last)
    mean_inverse = (1 - left) / (alpha + end) + left / (alpha + last)
    shared = digamma(a + b) - digamma(a + b + x)
    score = np.array(
        [
            r * (weight @ (digamma(r + x) - digamma(r) + np.log(alpha) - mean_log)),
            weight @ (r - alpha * (r + x) * mean_inverse),
            weight @ (a * shared + left),
            b * (weight @ (shared + digamma(b + x) - digamma(b) - left / after)),
        ]
    )
    return float(weight @ height), score


def _spend_likelihood(place: Floats, x: Floats, m: Floats, weight: Floats) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in the logarithms of p, q, v."""
    p, q, v = np.exp(place)
    total = v + x * m
    height = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    height += (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(total)
    shape = digamma(p * x + q)
    score = np.array(
        [
            p * (weight @ (x * (shape - digamma(p * x) + np.log(m * x / total)))),
            q * (weight @ (shape - digamma(q) + np.log(v / total))),
            weight @ (q - v * (p * x + q) / total),
        ]
    )
    return float(weight @ height), score


def _moments(
    parameters: ArrayLike, ahead: ArrayLike, frequency: ArrayLike, recency: ArrayLike,
    age: ArrayLike, with_pairs: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """E[X] and, where asked for, E[X (X - 1)], shape (n, k)."""
    r, alpha, a, b = np.asarray(parameters, dtype=np.float64)
    x, last, end = columns_of(frequency, recency, age)
    times = np.atleast_1d(np.asarray(ahead, dtype=np.float64))
    if (times < 0).any() or not np.isfinite(times).all():
        raise ValueError("times ahead must be 0 or more")
    mean, pairs = np.zeros((len(x), len(times))), np.zeros((len(x), len(times)))
    alive = probability_alive(parameters, x, last, end)
    for number in np.unique(x):
        rows = np.flatnonzero(x == number)
        size = r + number
        scaled = times / (alpha + end[rows])[:, None]
        chance, share = _beta_rule(a, b + number, float(scaled.max(initial=0.0)))
        for node, part in zip(chance, share, strict=True):
            grown = node * scaled
            mean[rows] += part * -np.expm1(-size * np.log1p(grown)) / node
            if with_pairs:
                second = betainc(2.0, size, grown / (1 + grown)) / node**2
                pairs[rows] += part * 2 * (1 - node) * second
    return mean * alive[:, None], pairs * alive[:, None]


def _beta_rule(a: float, b: float, reach: float) -> tuple[Floats, Floats]:
    """Gauss-Jacobi nodes and weights for a mean over Beta(a, b) (Golub and Welsch 1969).

    What is integrated is analytic but at -1 / reach and beyond, which sets how many nodes give 14 digits.
    """
    apart = 1 / max(reach, 1e-3)
    ellipse = 1 + 2 * apart + 2 * np.sqrt(apart + apart**2)
    count = int(np.clip(np.ceil(16 / np.log(ellipse)) + 4, 12, 400))
    # Recurrence of the Jacobi polynomials with weight (1 - z)^(b - 1) (1 + z)^(a - 1), P = (1 + z) / 2.
    one, two, k = b - 1, a - 1, np.arange(1.0, count)
    whole = 2 * k + one + two
    centre = np.concatenate(
        [[(two - one) / (one + two + 2)], (two**2 - one**2) / (whole * (whole + 2))]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = (4 * k * (k + one) * (k + two) * (k + one + two)) / (
            whole**2 * (whole + 1) * (whole - 1)
        )
    # At k = 1 a factor cancels; written out, because it is 0 / 0 where one + two = -1.
    squares[0] = 4 * (1 + one) * (1 + two) / ((one + two + 2) ** 2 * (one + two + 3))
    nodes, vectors = eigh_tridiagonal(centre, np.sqrt(squares))
    weights = vectors[0] ** 2
    # Rounding may push the lowest node of a narrow Beta to 0 or below.
    return np.maximum((1 + nodes) / 2, 1e-15), weights / weights.sum()


def _positive_interval(
    value: Floats, relative_error: Floats, deviation: float
) -> tuple[Floats, Floats]:
    """Interval that is symmetric on the scale of the logarithm."""
    factor = np.exp(deviation * relative_error)
    return value / factor, value * factor


def _correlation(x: Floats, m: Floats, weight: Floats) -> float:
    share = weight / weight.sum()
    centred, other = x - share @ x, m - share @ m
    scale = np.sqrt((share @ centred**2) * (share @ other**2))
    return float(share @ (centred * other) / scale) if scale > 1e-12 else np.nan
