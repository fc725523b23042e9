"""Lifetimes under a contract: the shifted beta-geometric model of renewals.

Fader and Hardie (2007), *How to project customer retention*: at each renewal a customer leaves with a chance
of his own; the chances are Beta(alpha, beta) over customers. Those likeliest to leave go first, so the
renewal rate of a cohort rises with age although nobody changes, and one divided by the churn rate misstates
the lifetime.

The model is written here in the mean chance to leave, mu = alpha / (alpha + beta), and in
theta = 1 / (alpha + beta): the chance to leave at renewal t of those who got there is
mu / (1 + (t - 1) theta). theta = 0 is the geometric model, all customers alike, and no special case: data
whose renewal rate does not rise have their maximum exactly there, and alpha and beta do not exist.

Counts at risk and churned by renewal number are sufficient, whatever the cohorts and their censoring.
Intervals come from the posterior, integrated on nodes: no random draws, and valid at theta = 0, where the
delta method is not. Prior: mu uniform; with chance 0.2 all customers are alike, else the polarisation
1 / (alpha + beta + 1) is uniform. Intervals of counts add the chance of the renewals themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, expit

from plumbline.statistics.lifetime import Bools, Floats, Ints, Missing, columns_of

# log(theta) tried first; below the first all customers are as good as alike, above the last every
# customer is sure to leave at once or never.
PROFILE = np.linspace(-12.0, 9.0, 85)
# A maximum lower than the geometric model's by less than this is the geometric model.
NO_BETTER = 1e-7
# Prior chance that customers are alike. Without it intervals of such customers would always look away
# from the truth, which lies on the edge of the model.
ALIKE = 0.2


@dataclass(frozen=True)
class RenewalCounts:
    """Sufficient statistics of segments; column t - 1 is renewal number t.

    Attributes:
        segments: names, sorted, shape (s,).
        at_risk: customers who reached renewal t and whose outcome is known, shape (s, periods).
        churned: those of them who did not renew.
    """

    segments: NDArray[Any]
    at_risk: Floats
    churned: Floats

    @property
    def customers(self) -> Ints:
        """Customers whose first renewal is known, shape (s,)."""
        return self.at_risk[:, 0].astype(np.int64)

    @property
    def observed_periods(self) -> Ints:
        """Highest renewal number that anybody reached, shape (s,)."""
        reached = self.at_risk > 0
        return np.where(
            reached.any(axis=1), reached.shape[1] - np.argmax(reached[:, ::-1], axis=1), 0
        ).astype(np.int64)


@dataclass(frozen=True)
class ShiftedBetaGeometric:
    """Maximum likelihood fits, one a segment, every array of shape (s,); NaN where there is no fit.

    Attributes:
        segments: names.
        customers: customers whose first renewal is known.
        periods: highest renewal number observed.
        churn_mean: mean chance to leave at a renewal of a new customer, mu.
        heterogeneity: theta = 1 / (alpha + beta); 0 where customers are alike.
        alpha, beta: parameters of the Beta; NaN also where customers are alike.
        log_alpha_error, log_beta_error: standard errors of their logarithms from the observed information.
        log_likelihood: at the maximum.
        geometric_log_likelihood: of the model in which all customers are alike.
        reasons: why there is no fit, None where there is one.
    """

    segments: NDArray[Any]
    customers: Ints
    periods: Ints
    churn_mean: Floats
    heterogeneity: Floats
    alpha: Floats
    beta: Floats
    log_alpha_error: Floats
    log_beta_error: Floats
    log_likelihood: Floats
    geometric_log_likelihood: Floats
    reasons: NDArray[np.object_]

    @property
    def fitted(self) -> Bools:
        """Where there is a fit."""
        return np.asarray([reason is None for reason in self.reasons], dtype=np.bool_)

    @property
    def alike(self) -> Bools:
        """Where the geometric model is the best fit."""
        return np.asarray(self.heterogeneity == 0)


@dataclass(frozen=True)
class Nodes:
    """Posterior of (mu, theta) on a grid, one line a segment, shape (s, nodes).

    Attributes:
        weight: share of the posterior, sums to 1 a line; NaN without a fit.
        churn_mean, heterogeneity: parameters of each node.
    """

    weight: Floats
    churn_mean: Floats
    heterogeneity: Floats


@dataclass(frozen=True)
class RenewalCurves:
    """Curves of segments, shape (s, periods); column t - 1 is renewal t; NaN where there is no fit.

    Attributes:
        survival, survival_low, survival_high: chance of a new customer to make renewal t.
        renewal, renewal_low, renewal_high: chance to make renewal t of those who made t - 1.
    """

    survival: Floats
    survival_low: Floats
    survival_high: Floats
    renewal: Floats
    renewal_low: Floats
    renewal_high: Floats


@dataclass(frozen=True)
class Estimate:
    """Values with their interval, arrays of one shape; NaN where there is none."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class HoldOut:
    """Predicted against observed renewals that the fit did not see, one row a segment and number of steps.

    Attributes:
        segments, steps: customers of a segment, so many renewals ahead.
        customers: customers at the beginning.
        predicted, low, high: predicted survivors among them and prediction interval; NaN without a fit.
        observed: survivors.
        error: predicted - observed.
        covered: whether the interval holds the observed; None without a fit.
        reasons: why there is no prediction, else None.
    """

    segments: NDArray[Any]
    steps: Ints
    customers: Ints
    predicted: Floats
    low: Floats
    high: Floats
    observed: Ints
    error: Floats
    covered: NDArray[np.object_]
    reasons: NDArray[np.object_]


def renewal_counts(
    segments: ArrayLike,
    cohorts: ArrayLike,
    periods: ArrayLike,
    at_risk: ArrayLike,
    churned: ArrayLike,
) -> RenewalCounts:
    """Counts by segment and renewal number, summed over cohorts.

    Args:
        segments: plan or segment of each row.
        cohorts: cohort of each row; cohorts may be of different ages (right-censored).
        periods: renewal number, 1 or more; once a cohort.
        at_risk: customers of the cohort who reached this renewal and whose outcome is known.
        churned: those of them who left.

    Raises:
        ValueError: a count is negative or not whole, more churn than are at risk, a renewal number is
            below 1 or twice in a cohort, or more are at risk than renewed before.
    """
    names, place = np.unique(np.asarray(segments), return_inverse=True)
    _, cohort = np.unique(np.asarray(cohorts), return_inverse=True)
    period, risk, left = columns_of(periods, at_risk, churned)
    if place.shape != period.shape or cohort.shape != period.shape:
        raise ValueError("columns must be one-dimensional and of one length")
    if (period != np.floor(period)).any() or (period < 1).any():
        raise ValueError("renewal numbers are whole and start at 1")
    if any((column != np.floor(column)).any() or (column < 0).any() for column in (risk, left)):
        raise ValueError("counts are whole and not negative")
    if (left > risk).any():
        raise ValueError("more churned than were at risk")
    order = np.lexsort((period, cohort, place))
    same = (np.diff(place[order]) == 0) & (np.diff(cohort[order]) == 0)
    step = np.diff(period[order])
    if (same & (step == 0)).any():
        raise ValueError("a cohort has a renewal number twice")
    renewed = (risk - left)[order][:-1]
    if (same & (risk[order][1:] > renewed)).any():
        raise ValueError("more are at risk than renewed before")
    width = int(period.max()) if period.size else 1
    shape = (len(names), width)
    totals = []
    for column in (risk, left):
        total = np.zeros(shape)
        np.add.at(total, (place, period.astype(np.int64) - 1), column)
        totals.append(total)
    return RenewalCounts(names, *totals)


def survivors_as_counts(survivors: ArrayLike) -> RenewalCounts:
    """Counts of one cohort from its survivors after 0, 1, 2 ... renewals."""
    kept = np.asarray(survivors, dtype=np.float64)
    periods = np.arange(1, len(kept))
    same = np.full(len(periods), "all")
    return renewal_counts(same, same, periods, kept[:-1], kept[:-1] - kept[1:])


def log_likelihood(counts: RenewalCounts, alpha: ArrayLike, beta: ArrayLike) -> Floats:
    """Log-likelihood of each segment at given parameters, shape (s,), without constants of the data.

    Formula: sum over t of churned log h(t) + (at risk - churned) log(1 - h(t)), with
    h(t) = alpha / (alpha + beta + t - 1). Source: Fader and Hardie (2007), equation 7, regrouped.

    Raises:
        ValueError: a parameter is not positive.
    """
    a, b = np.broadcast_arrays(np.asarray(alpha, np.float64), np.asarray(beta, np.float64))
    if not ((a > 0) & (b > 0)).all():
        raise ValueError("alpha and beta must be positive")
    return _height(counts, np.atleast_1d(a / (a + b)), np.atleast_1d(1 / (a + b)))


def fit_shifted_beta_geometric(
    counts: RenewalCounts, minimum_customers: int
) -> ShiftedBetaGeometric:
    """Maximum likelihood fit of every segment at once.

    For each of a fixed ladder of theta the best mu is found (the likelihood is concave in it); Newton steps
    on the exact score and curvature go on from the best rung. No maximum is claimed where the score is not
    zero.

    Args:
        counts: from :func:`renewal_counts`.
        minimum_customers: segments with fewer customers get no fit.
    """
    risk, left = counts.at_risk, counts.churned
    size = len(counts.segments)
    reasons = _reasons(counts, minimum_customers)
    usable = np.asarray([reason is None for reason in reasons], dtype=np.bool_)
    mean, theta, height, flat, errors = (
        np.full(shape, np.nan) for shape in (size, size, size, size, (2, size))
    )
    if usable.any():
        held = RenewalCounts(counts.segments[usable], risk[usable], left[usable])
        found = _maxima(held)
        mean[usable], theta[usable], height[usable], flat[usable], errors[:, usable] = found[:5]
        for index, reason in zip(np.flatnonzero(usable), found[5], strict=True):
            reasons[index] = reason
            if reason is not None:
                for array in (mean, theta, height, flat, errors[0], errors[1]):
                    array[index] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = np.where(theta > 0, mean / theta, np.nan)
        beta = np.where(theta > 0, (1 - mean) / theta, np.nan)
    return ShiftedBetaGeometric(
        counts.segments, counts.customers, counts.observed_periods, mean, theta, alpha, beta,
        errors[0], errors[1], height, flat, reasons,
    )  # fmt: skip


def posterior(counts: RenewalCounts, fit: ShiftedBetaGeometric, step: float = 0.4) -> Nodes:
    """Posterior of each fitted segment under the prior of this module.

    Trapezoid rule around the mode in (logit mu, logit of the polarisation), along the axes of the
    curvature there, with nodes that spread as sinh so that the slow tail towards theta = 0 is kept; beside
    it a line of nodes with theta = 0.

    Args:
        counts: what was fitted.
        fit: its fit; segments without one get NaN.
        step: width of the rule; 0.4 is good to 1e-4 for means, quantiles of the nodes need 0.1.
    """
    ladder = np.arange(-round(3.2 / step), round(3.2 / step) + 1) * step
    stretched, width = np.sinh(ladder), np.cosh(ladder) * step
    across, along = (grid.ravel() for grid in np.meshgrid(stretched, stretched))
    area = (width[:, None] * width[None, :]).ravel()
    size = len(counts.segments)
    result = [np.full((size, across.size + ladder.size), np.nan) for _ in range(3)]
    use = fit.fitted
    if use.any():
        held = RenewalCounts(counts.segments[use], counts.at_risk[use], counts.churned[use])
        mode = _climb(held, np.stack([np.zeros(use.sum()), np.full(use.sum(), -2.0)], 1), True)
        root = np.linalg.cholesky(np.linalg.inv(-_slopes(held, mode, True)[1]))
        spot = mode[:, None, :] + np.einsum("sij,nj->sni", root, np.stack([across, along], 1))
        differ = _log_posterior(held, spot) + np.log(area)
        differ += np.log(np.linalg.det(root))[:, None]
        # Customers who are alike: the posterior of mu is Beta(left + 1, renewed + 1).
        left, risk = held.churned.sum(1), held.at_risk.sum(1)
        peak = np.log((left + 1) / (risk - left + 1))
        narrow = np.sqrt((risk + 2) / ((left + 1) * (risk - left + 1)))
        logit = peak[:, None] + narrow[:, None] * stretched
        alike = _height(held, expit(logit), np.zeros(logit.shape)) + np.log(width * narrow[:, None])
        alike -= np.logaddexp(0, logit) + np.logaddexp(0, -logit)
        height = np.concatenate([differ + np.log(1 - ALIKE), alike + np.log(ALIKE)], axis=1)
        weight = np.exp(height - height.max(axis=1, keepdims=True))
        result[0][use] = weight / weight.sum(axis=1, keepdims=True)
        result[1][use] = expit(np.concatenate([spot[..., 0], logit], axis=1))
        result[2][use] = np.concatenate([np.exp(spot[..., 1]), np.zeros(logit.shape)], axis=1)
    return Nodes(*result)


def renewal_curves(
    counts: RenewalCounts, fit: ShiftedBetaGeometric, periods: int, level: float
) -> RenewalCurves:
    """Survival and renewal rate at renewals 1 to ``periods``, with credible intervals.

    Args:
        counts: what was fitted.
        fit: its fit.
        periods: how many renewals ahead of a new customer.
        level: coverage of the intervals, between 0 and 1.
    """
    _check_level(level)
    nodes = posterior(counts, fit, step=0.1)
    point = np.exp(_log_survival(fit.churn_mean, fit.heterogeneity, periods))[:, 1:]
    rate = _renewal(fit.churn_mean, fit.heterogeneity, periods)
    bounds = []
    for curve in (_log_survival, _renewal):
        low, high = np.full(point.shape, np.nan), np.full(point.shape, np.nan)
        for segment in np.flatnonzero(fit.fitted):
            values = curve(nodes.churn_mean[segment], nodes.heterogeneity[segment], periods)
            values = np.exp(values[:, 1:]) if curve is _log_survival else values
            ends = _quantiles(values, nodes.weight[segment], level)
            low[segment], high[segment] = ends
        bounds += [low, high]
    return RenewalCurves(point, bounds[0], bounds[1], rate, bounds[2], bounds[3])


def discounted_payments(
    churn_mean: ArrayLike,
    heterogeneity: ArrayLike,
    ages: ArrayLike,
    discount_rate: float,
    horizon: int | None,
) -> Floats:
    """Expected discounted number of payments still to come of a customer who has renewed ``age`` times.

    Counted just before the next renewal, which is not discounted: the discounted expected residual lifetime
    (DERL). Formula without a horizon: r 2F1(1, b + n; a + b + n; 1 / (1 + d)) with n = age + 1 and
    r = (b + n - 1) / (a + b + n - 1); the 2F1 by Gauss's continued fraction, whose terms stay finite at
    theta = 0.
    Source: Fader and Hardie (2010), *Customer-base valuation in a contractual setting*, equation 6.
    A new customer's payments are 1 + DERL(age 0) / (1 + d): the first is made at once.

    Args:
        churn_mean, heterogeneity: parameters mu and theta.
        ages: renewals made, 0 or more.
        discount_rate: per period, 0 or more.
        horizon: how many payments ahead count; None for all, which needs a positive discount rate, because
            the mean lifetime itself is infinite where alpha is 1 or less.

    Raises:
        ValueError: an argument is out of its range.
    """
    mean, theta, age = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (churn_mean, heterogeneity, ages))
    )
    if discount_rate < 0 or (horizon is None and discount_rate <= 0):
        raise ValueError(
            "discount_rate must not be negative; without a horizon it must be positive"
        )
    if horizon is not None and horizon < 1:
        raise ValueError("horizon must be 1 or more")
    if (age < 0).any():
        raise ValueError("ages must be 0 or more")
    discount = 1 / (1 + discount_rate)
    if horizon is not None:
        total, alive = np.zeros(mean.shape), np.ones(mean.shape)
        for ahead in range(horizon):
            alive = alive * (1 - mean + (age + ahead) * theta) / (1 + (age + ahead) * theta)
            total = total + alive * discount**ahead
        return total
    # Terms of the fraction multiplied by theta squared: c is theta (C - 1), b is theta B.
    root = np.sqrt(1 - discount)
    depth = int(np.ceil(40 / -np.log((1 - root) / (1 + root)))) + 10
    c, b = 1 + age * theta, 1 - mean + (age + 1) * theta
    value = np.ones(mean.shape)
    for k in range(depth, -1, -1):
        even = (k + 1) * theta * (mean + k * theta)
        even = even / ((c + (2 * k + 1) * theta) * (c + (2 * k + 2) * theta))
        odd = (b + k * theta) * (c + k * theta) / ((c + 2 * k * theta) * (c + (2 * k + 1) * theta))
        value = 1 - discount * odd / (1 - discount * even / value)
    return np.asarray((1 - mean + age * theta) / (1 + age * theta) / value)


def expected_payments(
    counts: RenewalCounts,
    fit: ShiftedBetaGeometric,
    discount_rates: ArrayLike,
    horizons: ArrayLike | None,
    level: float,
) -> Estimate:
    """Discounted payments of a new customer of each segment, the first included, with credible intervals.

    Args:
        counts: what was fitted.
        fit: its fit.
        discount_rates: per period of the segment, one for all or one a segment.
        horizons: payments that count, one for all or one a segment; None for all payments.
        level: coverage of the interval.
    """
    _check_level(level)
    size = len(fit.segments)
    rates = np.broadcast_to(np.asarray(discount_rates, np.float64), (size,))
    ends = None if horizons is None else np.broadcast_to(np.asarray(horizons, np.int64), (size,))
    nodes = posterior(counts, fit, step=0.1)
    result = np.full((3, size), np.nan)

    def payments(mean: ArrayLike, theta: ArrayLike, segment: int) -> Floats:
        rate = float(rates[segment])
        if ends is None:
            return 1 + discounted_payments(mean, theta, 0, rate, None) / (1 + rate)
        if ends[segment] == 1:
            return np.ones(np.shape(mean))
        return 1 + discounted_payments(mean, theta, 0, rate, int(ends[segment]) - 1) / (1 + rate)

    for segment in np.flatnonzero(fit.fitted):
        at = int(segment)
        result[0, at] = payments(fit.churn_mean[at], fit.heterogeneity[at], at)
        values = payments(nodes.churn_mean[at], nodes.heterogeneity[at], at)
        result[1:, at] = _quantiles(values[:, None], nodes.weight[at], level)[:, 0]
    return Estimate(*result)


def project_renewals(
    counts: RenewalCounts,
    fit: ShiftedBetaGeometric,
    segments: ArrayLike,
    groups: ArrayLike,
    ages: ArrayLike,
    steps: ArrayLike,
    customers: ArrayLike,
    level: float,
) -> tuple[NDArray[Any], Estimate]:
    """How many of today's customers will have made their next renewals, with prediction intervals.

    A row is ``customers`` of a segment who have renewed ``age`` times, looked at ``steps`` renewals ahead;
    rows of one group, all of one segment, are added. The interval holds both the doubt about the parameters
    and the chance of the renewals: the quantiles of a mixture, over the nodes of the posterior, of binomials
    (of one row exactly; of the sum of rows the binomial of equal mean and variance).

    Returns:
        Groups in sorted order, and their expected number with its interval; NaN without a fit.

    Raises:
        ValueError: a segment is unknown, a group has two segments, or a number is out of its range.
    """
    _check_level(level)
    age, step, size = columns_of(ages, steps, customers)
    name = np.asarray(segments)
    if not np.isin(name, fit.segments).all():
        raise ValueError("a segment was not fitted")
    if (age < 0).any() or (step < 1).any() or (size < 0).any():
        raise ValueError("ages and customers are 0 or more, steps 1 or more")
    place = np.searchsorted(fit.segments, name)
    labels, group = np.unique(np.asarray(groups), return_inverse=True)
    nodes = posterior(counts, fit)
    periods = int((age + step).max()) if age.size else 1
    point = _log_survival(fit.churn_mean, fit.heterogeneity, periods)
    result = np.full((3, len(labels)), np.nan)
    curves: dict[int, Floats] = {}
    for index in range(len(labels)):
        rows = np.flatnonzero(group == index)
        at = int(place[rows[0]])
        if (place[rows] != at).any():
            raise ValueError("a group has customers of two segments")
        if fit.reasons[at] is not None:
            continue
        if at not in curves:
            curves[at] = _log_survival(nodes.churn_mean[at], nodes.heterogeneity[at], periods)
        start = age[rows].astype(np.int64)
        stop = start + step[rows].astype(np.int64)
        count = size[rows]
        result[0, index] = (np.exp(point[at, stop] - point[at, start]) * count).sum()
        chance = np.exp(curves[at][:, stop] - curves[at][:, start])
        result[1:, index] = _count_quantiles(chance, count, nodes.weight[at], level)
    return labels, Estimate(*result)


def hold_out(
    counts: RenewalCounts,
    fit: ShiftedBetaGeometric,
    segments: ArrayLike,
    ages: ArrayLike,
    steps: ArrayLike,
    customers: ArrayLike,
    survivors: ArrayLike,
    level: float,
) -> HoldOut:
    """Compare what a fit predicts with renewals that came after it.

    Args:
        counts: what was fitted.
        fit: its fit.
        segments, ages, steps, customers: rows as of :func:`project_renewals`.
        survivors: of the customers of each row, those who made all these renewals.
        level: coverage of the prediction intervals.

    Raises:
        ValueError: a segment is unknown, a number out of its range, or more survive than there were.
    """
    age, step, size, kept = columns_of(ages, steps, customers, survivors)
    if ((kept < 0) | (kept > size)).any():
        raise ValueError("survivors are between 0 and customers")
    name = np.asarray(segments)
    place = np.searchsorted(fit.segments, name)
    # Rows of one segment and one number of steps add up, whatever their age.
    group = place * (1 + int(step.max(initial=0))) + step.astype(np.int64)
    labels, estimate = project_renewals(counts, fit, name, group, age, step, size, level)
    first = np.array([np.flatnonzero(group == label)[0] for label in labels], dtype=np.int64)
    where = np.searchsorted(labels, group)
    total, observed = (np.bincount(where, part, len(labels)) for part in (size, kept))
    inside = (estimate.low <= observed) & (observed <= estimate.high)
    known = np.isfinite(estimate.value)
    return HoldOut(
        name[first], step[first].astype(np.int64), total.astype(np.int64),
        estimate.value, estimate.low, estimate.high, observed.astype(np.int64),
        estimate.value - observed,
        np.array(
            [bool(x) if y else None for x, y in zip(inside, known, strict=True)], dtype=object
        ),
        fit.reasons[place[first]],
    )  # fmt: skip


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError("level must lie between 0 and 1")


def _reasons(counts: RenewalCounts, minimum_customers: int) -> NDArray[np.object_]:
    """Why each segment cannot be fitted, as far as counts alone tell."""
    risk, left = counts.at_risk, counts.churned
    reasons = np.full(len(counts.segments), None, dtype=object)
    cases = (
        ((risk[:, 1:] > 0).any(axis=1) & (left[:, 1:].sum(axis=1) == 0), Missing.NO_LATER_CHURN),
        (counts.observed_periods < 2, Missing.TOO_FEW_PERIODS),
        (left[:, 0] == risk[:, 0], Missing.EVERYBODY_CHURNED_AT_ONCE),
        (left.sum(axis=1) == 0, Missing.NO_CHURN),
        (counts.customers < max(minimum_customers, 1), Missing.TOO_FEW_CUSTOMERS),
    )
    for holds, reason in cases:
        reasons[holds] = reason
    return reasons


def _height(counts: RenewalCounts, mean: Floats, theta: Floats) -> Floats:
    """Log-likelihood of segments at (mu, theta), shapes (s,) or (s, n)."""
    extra = (1,) * (mean.ndim - 1)
    total = np.zeros(np.broadcast_shapes(mean.shape, (len(counts.segments), *extra)))
    for before in range(counts.at_risk.shape[1]):
        risk = counts.at_risk[:, before].reshape(-1, *extra)
        left = counts.churned[:, before].reshape(-1, *extra)
        stay = 1 - mean + before * theta
        # A chance of 0 to stay is fine where nobody stayed: 0 log 0 is 0.
        total += left * np.log(mean) - risk * np.log1p(before * theta)
        total += np.where(risk > left, risk - left, 0) * np.log(np.where(risk > left, stay, 1.0))
    return total


def _slopes(counts: RenewalCounts, spot: Floats, with_prior: bool) -> tuple[Floats, Floats]:
    """Gradient (s, 2) and curvature (s, 2, 2) in (logit mu, log theta)."""
    mean, theta = expit(spot[:, :1]), np.exp(spot[:, 1:])
    before = np.arange(counts.at_risk.shape[1])
    risk, left = counts.at_risk, counts.churned
    stayed = (risk - left) / (1 - mean + before * theta)
    twice = stayed / (1 - mean + before * theta)
    share = before / (1 + before * theta)
    by_mean = left.sum(1) / mean[:, 0] - stayed.sum(1)
    by_theta = (stayed * before - risk * share).sum(1)
    mean_mean = -left.sum(1) / mean[:, 0] ** 2 - twice.sum(1)
    mean_theta = (twice * before).sum(1)
    theta_theta = (risk * share**2 - twice * before**2).sum(1)
    scale, grow = (mean * (1 - mean))[:, 0], theta[:, 0]
    gradient = np.stack([by_mean * scale, by_theta * grow], axis=1)
    corner = by_mean * scale * (1 - 2 * mean[:, 0])
    bent = np.empty((len(spot), 2, 2))
    bent[:, 0, 0] = mean_mean * scale**2 + corner
    bent[:, 0, 1] = bent[:, 1, 0] = mean_theta * scale * grow
    bent[:, 1, 1] = theta_theta * grow**2 + by_theta * grow
    if with_prior:
        chance = expit(spot)
        gradient += 1 - 2 * chance
        bent[:, [0, 1], [0, 1]] -= 2 * chance * (1 - chance)
    return gradient, bent


def _log_posterior(counts: RenewalCounts, spot: Floats) -> Floats:
    """Log-posterior at (logit mu, log theta), up to a constant.

    log theta is the logit of the polarisation 1 / (alpha + beta + 1).
    """
    prior = -np.logaddexp(0, spot) - np.logaddexp(0, -spot)
    mean, theta = expit(spot[..., 0]), np.exp(spot[..., 1])
    with np.errstate(divide="ignore"):
        height = _height(counts, np.maximum(mean, 1e-300), theta)
    return np.asarray(height + prior.sum(axis=-1))


def _climb(counts: RenewalCounts, spot: Floats, with_prior: bool) -> Floats:
    """Newton steps, damped wherever the surface is not yet concave or a step would not climb."""

    def height(where: Floats) -> Floats:
        if with_prior:
            return _log_posterior(counts, where)
        with np.errstate(divide="ignore"):
            return _height(counts, np.maximum(expit(where[:, 0]), 1e-300), np.exp(where[:, 1]))

    damping = np.zeros(len(spot))
    now = height(spot)
    for _ in range(200):
        gradient, bent = _slopes(counts, spot, with_prior)
        top = np.linalg.eigvalsh(bent)[:, 1]
        shift = np.maximum(damping, np.where(top < 0, 0.0, top + 1e-3 * (1 + np.abs(top))))
        step = np.linalg.solve(bent - shift[:, None, None] * np.eye(2), gradient[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        step = step / np.maximum(longest / 2.0, 1.0)
        after = height(spot - step)
        better = after >= now - 1e-12 * np.abs(now)
        spot = np.where(better[:, None], spot - step, spot)
        now = np.where(better, after, now)
        weak = np.maximum(damping * 4, 1e-3 * (1 + np.abs(top)))
        damping = np.where(better, damping / 16, weak)
        damping = np.where(damping < 1e-12, 0.0, damping)
        if np.where(better, np.abs(step).max(axis=1), np.inf).max() < 1e-11:
            break
    return spot


def _maxima(
    counts: RenewalCounts,
) -> tuple[Floats, Floats, Floats, Floats, Floats, list[Missing | None]]:
    """mu, theta, log-likelihood, geometric log-likelihood, standard errors, reasons; of usable segments."""
    risk, left = counts.at_risk, counts.churned
    flat_mean = left.sum(1) / risk.sum(1)
    flat = _height(counts, flat_mean, np.zeros(len(flat_mean)))
    # Best mu on each rung by bisection of its falling slope.
    theta = np.broadcast_to(np.exp(PROFILE), (len(flat_mean), len(PROFILE)))
    low, high = np.zeros(theta.shape), np.ones(theta.shape)
    for _ in range(60):
        mid = (low + high) / 2
        slope = left.sum(1)[:, None] / mid
        for before in range(risk.shape[1]):
            slope = slope - (risk - left)[:, before, None] / (1 - mid + before * theta)
        low, high = np.where(slope > 0, mid, low), np.where(slope > 0, high, mid)
    mid = np.clip((low + high) / 2, 1e-12, 1 - 1e-12)
    heights = _height(counts, mid, theta)
    best = np.argmax(heights, axis=1)
    every = np.arange(len(best))
    start = np.stack([np.log(mid / (1 - mid))[every, best], PROFILE[best]], axis=1)
    spot = _climb(counts, start, False)
    gradient, bent = _slopes(counts, spot, False)
    mean, theta_hat = expit(spot[:, 0]), np.exp(spot[:, 1])
    height = _height(counts, mean, theta_hat)
    reasons: list[Missing | None] = [None] * len(best)
    errors = np.full((2, len(best)), np.nan)
    for at in every:
        if height[at] <= flat[at] + NO_BETTER or spot[at, 1] < PROFILE[0]:
            mean[at], theta_hat[at], height[at] = flat_mean[at], 0.0, flat[at]
        elif spot[at, 1] > PROFILE[-1]:
            reasons[at] = Missing.ON_THE_EDGE
        elif (
            np.abs(gradient[at]).max() > 1e-7 * (1 + risk[at].sum())
            or np.linalg.eigvalsh(bent[at]).max() >= 0
        ):
            reasons[at] = Missing.NOT_CONVERGED
        else:
            # log alpha = log mu - log theta, log beta = log(1 - mu) - log theta.
            turn = np.array([[1 - mean[at], -1.0], [-mean[at], -1.0]])
            errors[:, at] = np.sqrt(np.diag(turn @ np.linalg.inv(-bent[at]) @ turn.T))
    return mean, theta_hat, height, flat, errors, reasons


def _renewal(mean: Floats, theta: Floats, periods: int) -> Floats:
    """Chance to make renewals 1 to ``periods`` having reached them; shape (n, periods)."""
    before = np.arange(periods)
    mean, theta = mean[:, None], theta[:, None]
    return np.asarray((1 - mean + before * theta) / (1 + before * theta))


def _log_survival(mean: Floats, theta: Floats, periods: int) -> Floats:
    """Log-chance to have made renewals 0 to ``periods``; shape (n, periods + 1)."""
    with np.errstate(divide="ignore"):
        logs = np.log(_renewal(mean, theta, periods))
    return np.concatenate([np.zeros((len(logs), 1)), np.cumsum(logs, axis=1)], axis=1)


def _quantiles(values: Floats, weight: Floats, level: float) -> Floats:
    """Ends of the central interval of weighted values (nodes, m), shape (2, m)."""
    ends = np.empty((2, values.shape[1]))
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        share = np.cumsum(weight[order]) - weight[order] / 2
        ends[:, column] = np.interp(
            [(1 - level) / 2, (1 + level) / 2], share, values[order, column]
        )
    return ends


def _count_quantiles(chance: Floats, count: Floats, weight: Floats, level: float) -> Floats:
    """Ends of the central interval of a sum of binomials, mixed over nodes; chance is (nodes, rows)."""
    total = float(count.sum())
    mean = chance @ count
    variance = (chance * (1 - chance)) @ count
    mean = np.clip(mean, 1e-12, None)
    fail = np.clip(variance / mean, 1e-15, 1.0)
    trials = mean / np.maximum(1 - fail, 1e-15)
    # What is left out weighs less than 1e-4 together.
    heavy = weight > 1e-4 / len(weight)
    fail, trials, share = fail[heavy], trials[heavy], weight[heavy]

    def below(number: float) -> float:
        left = trials - number
        chance_of = np.where(left > 0, betainc(np.maximum(left, 1e-12), number + 1, fail), 1.0)
        return float(share @ chance_of)

    ends = []
    for wanted in ((1 - level) / 2, (1 + level) / 2):
        low, high = -1.0, np.ceil(total)
        while high - low > 1:
            middle = np.floor((low + high) / 2)
            low, high = (low, middle) if below(middle) >= wanted else (middle, high)
        ends.append(high)
    return np.asarray(ends)
