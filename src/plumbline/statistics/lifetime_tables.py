"""Tables of lifetime value: from the rows of a relation to the columns of a Python model.

Each function takes columns of one relation and gives columns of one length, by name, in a fixed order of
rows. A value that does not exist is NaN or None, with its reason in ``missing_reason``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plumbline.statistics.lifetime import Missing
from plumbline.statistics.lifetime_cohorts import (
    CohortValue,
    ValueEstimate,
    cohort_days,
    fit_cohort_value,
    predict_value,
    predict_values,
)
from plumbline.statistics.lifetime_contractual import (
    RenewalCounts,
    expected_payments,
    fit_shifted_beta_geometric,
    hold_out,
    renewal_counts,
    renewal_curves,
)
from plumbline.statistics.lifetime_noncontractual import (
    CustomerValues,
    OrderModel,
    SpendModel,
    customer_values,
    fit_orders,
    fit_spend,
    predict_orders,
)
from plumbline.statistics.survival import kaplan_meier

Columns: TypeAlias = dict[str, NDArray[Any]]
DAYS_OF_A_YEAR = 365.0


def contract_lifetimes(
    plans: ArrayLike,
    cohorts: ArrayLike,
    periods: ArrayLike,
    renewed: ArrayLike,
    lost: ArrayLike,
    period_days: Mapping[str, float],
    discount_rate: float,
    horizon_days: float,
    minimum_customers: int,
    level: float,
) -> Columns:
    """Fit of each plan and the payments a new customer of it will make; one row a plan.

    Args:
        plans, cohorts, periods: plan, cohort and number of the renewal of each row.
        renewed, lost: customers who made the renewal, and who did not; unknown outcomes left out.
        period_days: length of a period of each plan, above 0.
        discount_rate: per year.
        horizon_days: payments due before so many days from the first count towards the horizon.
        minimum_customers: plans with fewer customers get no fit.
        level: coverage of intervals.
    """
    counts = _counts(plans, cohorts, periods, renewed, lost)
    fit = fit_shifted_beta_geometric(counts, minimum_customers)
    days = np.array([period_days[str(plan)] for plan in counts.segments], dtype=np.float64)
    rates = (1 + discount_rate) ** (days / DAYS_OF_A_YEAR) - 1
    payments = np.ceil(horizon_days / days).astype(np.int64)
    within = expected_payments(counts, fit, rates, payments, level)
    for_life = expected_payments(counts, fit, rates, None, level)
    return {
        "plan_id": counts.segments,
        "customer_count": counts.customers,
        "observed_renewals_count": counts.observed_periods,
        "first_churn_rate": fit.churn_mean,
        "alpha": fit.alpha,
        "beta": fit.beta,
        "log_alpha_error": fit.log_alpha_error,
        "log_beta_error": fit.log_beta_error,
        "log_likelihood": fit.log_likelihood,
        "geometric_log_likelihood": fit.geometric_log_likelihood,
        "is_homogeneous": _flags(fit.alike, fit.fitted),
        "horizon_payments": within.value,
        "horizon_payments_low": within.low,
        "horizon_payments_high": within.high,
        "lifetime_payments": for_life.value,
        "lifetime_payments_low": for_life.low,
        "lifetime_payments_high": for_life.high,
        "missing_reason": _labels(fit.reasons),
    }


def renewal_curve_table(
    plans: ArrayLike,
    cohorts: ArrayLike,
    periods: ArrayLike,
    renewed: ArrayLike,
    lost: ArrayLike,
    periods_ahead: int,
    minimum_customers: int,
    level: float,
) -> Columns:
    """Observed and fitted curve of each plan, one row a plan and renewal.

    A curve goes as far as renewals were observed; where there is a fit, ``periods_ahead`` further.

    Args:
        plans, cohorts, periods, renewed, lost, minimum_customers, level: as of :func:`contract_lifetimes`.
        periods_ahead: renewals beyond those observed.
    """
    counts = _counts(plans, cohorts, periods, renewed, lost)
    fit = fit_shifted_beta_geometric(counts, minimum_customers)
    ends = counts.observed_periods + np.where(fit.fitted, periods_ahead, 0)
    width = max(int(ends.max(initial=0)), 1)
    curves = renewal_curves(counts, fit, width, level)
    plan, place = np.nonzero(np.arange(width) < ends[:, None])
    seen = np.zeros((2, len(counts.segments), width))
    for wide, narrow in zip(seen, (counts.at_risk, counts.churned), strict=True):
        wide[:, : narrow.shape[1]] = narrow[:, :width]
    at_risk, churned = seen[:, plan, place]
    known = at_risk > 0
    observed = kaplan_meier(plan[known], place[known] + 1, at_risk[known], churned[known], level)
    steps = np.full((3, len(plan)), np.nan)
    steps[:, known] = observed.survival, observed.low, observed.high
    return {
        "plan_id": counts.segments[plan],
        "renewal_number": place + 1,
        "at_risk_count": at_risk.astype(np.int64),
        "lost_count": churned.astype(np.int64),
        "observed_survival_rate": steps[0],
        "observed_survival_low": steps[1],
        "observed_survival_high": steps[2],
        "fitted_survival_rate": curves.survival[plan, place],
        "fitted_survival_low": curves.survival_low[plan, place],
        "fitted_survival_high": curves.survival_high[plan, place],
        "fitted_renewal_rate": curves.renewal[plan, place],
        "fitted_renewal_low": curves.renewal_low[plan, place],
        "fitted_renewal_high": curves.renewal_high[plan, place],
        "missing_reason": _labels(fit.reasons[plan]),
    }


def renewal_hold_outs(
    plans: ArrayLike,
    is_held_out: ArrayLike,
    renewals_made: ArrayLike,
    steps_ahead: ArrayLike,
    customers: ArrayLike,
    survivors: ArrayLike,
    minimum_customers: int,
    level: float,
) -> Columns:
    """Predictions from what was known at a date against what came after it, one row a plan and step.

    Args:
        plans: plan of each row.
        is_held_out: whether the row was still to come at the date; the others are fitted.
        renewals_made: renewals its customers had made.
        steps_ahead: renewals ahead that are looked at; 1 in a fitted row.
        customers: customers of the row.
        survivors: those who made these renewals.
        minimum_customers, level: as of :func:`contract_lifetimes`.
    """
    plan, held = np.asarray(plans), np.asarray(is_held_out, dtype=np.bool_)
    made, step, size, kept = (
        np.asarray(column, dtype=np.float64)
        for column in (renewals_made, steps_ahead, customers, survivors)
    )
    # Held-out plans of which nothing was known yet have a row all the same: nobody at risk.
    unknown = np.setdiff1d(plan[held], plan[~held])
    nothing = np.zeros(len(unknown))
    names = np.concatenate([plan[~held], unknown])
    counts = renewal_counts(
        names, np.full(len(names), "all"), np.concatenate([made[~held] + 1, nothing + 1]),
        np.concatenate([size[~held], nothing]),
        np.concatenate([(size - kept)[~held], nothing]),
    )  # fmt: skip
    fit = fit_shifted_beta_geometric(counts, minimum_customers)
    result = hold_out(
        counts, fit, plan[held], made[held], step[held], size[held], kept[held], level
    )
    fitted = counts.customers[np.searchsorted(counts.segments, result.segments)]
    return {
        "plan_id": result.segments,
        "steps_ahead": result.steps,
        "fitted_customer_count": fitted,
        "customer_count": result.customers,
        "renewed_count": result.observed,
        "predicted_renewals": result.predicted,
        "predicted_renewals_low": result.low,
        "predicted_renewals_high": result.high,
        "is_covered": result.covered,
        "missing_reason": _labels(result.reasons),
    }


def order_lifetimes(
    kinds: ArrayLike,
    frequency: ArrayLike,
    recency_days: ArrayLike,
    observed_days: ArrayLike,
    spend: ArrayLike,
    horizon_days: float,
    steps: int,
    discount_rate: float,
    minimum_customers: int,
    level: float,
) -> Columns:
    """What each buyer is expected to order and to pay; one row a buyer and kind of order, as they came.

    The models are fitted for each kind of order apart; their parameters stand in every row of the kind.

    Args:
        kinds: kind of order of each row.
        frequency: days with an order after the first.
        recency_days, observed_days: days from the first order to the latest, and to the end of observation.
        spend: mean value of a repeat day; any number without one.
        horizon_days: days looked ahead.
        steps: equal parts of the horizon for discounting.
        discount_rate: per year.
        minimum_customers: kinds with fewer customers, or repeat customers for spend, get no fit.
        level: coverage of intervals.
    """
    kind = np.asarray(kinds)
    x, last, end, paid = (
        np.asarray(column, dtype=np.float64)
        for column in (frequency, recency_days, observed_days, spend)
    )
    paid = np.where(x > 0, paid, 0.0)
    step_rate = (1 + discount_rate) ** (horizon_days / steps / DAYS_OF_A_YEAR) - 1
    names = (
        "alive_rate", "alive_low", "alive_high", "expected_orders", "expected_orders_low",
        "expected_orders_high", "expected_spend_usd", "lifetime_value_usd", "lifetime_value_low_usd",
        "lifetime_value_high_usd", "order_rate_shape", "order_rate_scale_days", "dropout_a", "dropout_b",
        "order_log_likelihood", "spend_shape", "spend_scale_shape", "spend_scale",
        "spend_log_likelihood", "frequency_spend_correlation",
    )  # fmt: skip
    table: Columns = {name: np.full(len(x), np.nan) for name in names}
    reasons, simpler, simpler_spend = (np.full(len(x), None, dtype=object) for _ in range(3))
    for each in np.unique(kind):
        rows = np.flatnonzero(kind == each)
        orders, money, values, place = _future(
            x[rows], last[rows], end[rows], paid[rows], horizon_days, steps, step_rate,
            minimum_customers, level,
        )  # fmt: skip
        columns = (
            values.alive, values.alive_low, values.alive_high, values.orders, values.orders_low,
            values.orders_high, values.spend, values.value, values.value_low, values.value_high,
        )  # fmt: skip
        for name, column in zip(names, columns, strict=False):
            table[name][rows] = column[place]
        numbers = (
            orders.r, orders.alpha, orders.a, orders.b, orders.log_likelihood,
            money.p, money.q, money.v, money.log_likelihood, money.correlation,
        )  # fmt: skip
        for name, number in zip(names[len(columns) :], numbers, strict=True):
            table[name][rows] = number
        reasons[rows] = values.reasons[place]
        simpler[rows], simpler_spend[rows] = orders.edge, money.edge
    return table | {
        "simpler_order_model": simpler,
        "simpler_spend_model": simpler_spend,
        "missing_reason": _labels(reasons),
    }


def order_hold_outs(
    kinds: ArrayLike,
    frequency: ArrayLike,
    recency_days: ArrayLike,
    observed_days: ArrayLike,
    repeat_spend: ArrayLike,
    later_orders: ArrayLike,
    later_spend: ArrayLike,
    held_out_days: ArrayLike,
    minimum_customers: int,
    level: float,
) -> Columns:
    """Orders predicted at a past day against those that came after it, one row a kind of order.

    Args:
        kinds, frequency, recency_days, observed_days: buyers at the day, as of :func:`order_lifetimes`.
        repeat_spend: value of all repeat days; any number without one.
        later_orders, later_spend: days with an order that followed, and their value.
        held_out_days: days that followed, the same in every row.
        minimum_customers, level: as of :func:`order_lifetimes`.

    Raises:
        ValueError: rows were observed for different times after the day.
    """
    kind = np.asarray(kinds)
    x, last, end, paid, later, money_later, ahead = (
        np.asarray(column, dtype=np.float64)
        for column in (
            frequency, recency_days, observed_days, repeat_spend, later_orders, later_spend,
            held_out_days,
        )
    )  # fmt: skip
    if len(ahead) and np.ptp(ahead) > 0:
        raise ValueError("rows were observed for different times after the day")
    paid = np.where(x > 0, paid, 0.0) / np.maximum(x, 1)
    names = np.unique(kind)
    table: Columns = {
        name: np.full(len(names), np.nan)
        for name in (
            "buyer_count", "order_days_count", "predicted_orders", "predicted_orders_low",
            "predicted_orders_high", "value", "predicted_value",
        )
    }  # fmt: skip
    covered, simpler, reasons = (np.full(len(names), None, dtype=object) for _ in range(3))
    for index, each in enumerate(names):
        rows = np.flatnonzero(kind == each)
        orders, _, values, place = _future(
            x[rows], last[rows], end[rows], paid[rows], float(ahead[rows[0]]), 1, 0.0,
            minimum_customers, level,
        )  # fmt: skip
        total = predict_orders(
            orders, float(ahead[rows[0]]), x[rows], last[rows], end[rows], np.ones(len(rows)), level
        )
        found = (
            len(rows), later[rows].sum(), total.predicted, total.low, total.high,
            money_later[rows].sum(), values.value[place].sum(),
        )  # fmt: skip
        for name, number in zip(list(table), found, strict=True):
            table[name][index] = number
        if np.isfinite(total.predicted):
            covered[index] = bool(total.low <= later[rows].sum() <= total.high)
        simpler[index] = orders.edge
        missing = [reason for reason in values.reasons if reason is not None]
        reasons[index] = missing[0] if missing else None
    return {
        "order_kind": names, **table, "is_covered": covered, "simpler_order_model": simpler,
        "missing_reason": _labels(reasons),
    }  # fmt: skip


def value_forecasts(
    dimensions: ArrayLike,
    segments: ArrayLike,
    weeks: ArrayLike,
    ages: ArrayLike,
    people: ArrayLike,
    active: ArrayLike,
    revenue: ArrayLike,
    horizons: Sequence[int],
    minimum_people: int,
    observed_share: float,
    latest_days: int,
    level: float,
) -> Columns:
    """What a new member is expected to bring within each horizon; one row a segment and horizon.

    Args:
        dimensions, segments: what people are split by, and the value of it.
        weeks, ages: cohort week and age in days of each row.
        people, active, revenue: members who lived through the age, those active on it, what they brought.
        horizons: numbers of days from the first.
        minimum_people, observed_share, latest_days: as of ``fit_cohort_value``.
        level: coverage of intervals.
    """
    names = ("segment_dimension", "segment_value")
    rows: list[dict[str, Any]] = []
    for key, model, _ in _values(
        dimensions, segments, weeks, ages, people, active, revenue, np.zeros(np.shape(ages)),
        minimum_people, observed_share, latest_days,
    ):  # fmt: skip
        for horizon, found in zip(horizons, predict_values(model, horizons, level), strict=True):
            rows.append(dict(zip(names, key, strict=True)) | {"horizon_days": horizon}
                        | _facts(model) | _estimated(found))  # fmt: skip
    integers = ("horizon_days", "person_count", "cohort_week_count", "observed_days")
    return _columns(rows, (*names, "missing_reason"), integers, (
        "daily_activity_rate", "daily_leave_rate", "leave_rate_spread", "value", "value_low", "value_high",
        "observed_value", "active_days", "revenue_per_active_day",
    ))  # fmt: skip


def value_hold_outs(
    dimensions: ArrayLike,
    segments: ArrayLike,
    weeks: ArrayLike,
    ages: ArrayLike,
    days_ahead: ArrayLike,
    people: ArrayLike,
    active: ArrayLike,
    revenue: ArrayLike,
    minimum_people: int,
    observed_share: float,
    latest_days: int,
    level: float,
) -> Columns:
    """What people known at a past day brought since, beside the prediction; one row a segment and stretch.

    Args:
        days_ahead: 0 in a row known at the day; later rows bear the end of their stretch in days after it.
            The stretches add up: a row of the result counts all days up to its own.
        dimensions, segments, weeks, ages, people, active, revenue, minimum_people, observed_share,
            latest_days, level: as of :func:`value_forecasts`.
    """
    names = ("segment_dimension", "segment_value")
    rows: list[dict[str, Any]] = []
    for key, model, later in _values(
        dimensions, segments, weeks, ages, people, active, revenue, days_ahead,
        minimum_people, observed_share, latest_days,
    ):  # fmt: skip
        ahead, age, size, money = later
        for end in np.unique(ahead):
            until = ahead <= end
            weights = np.bincount(age[until].astype(np.int64), size[until])
            found = predict_value(model, weights, level, int(end))
            observed = float(money[until].sum())
            known = bool(np.isfinite(found.low))
            rows.append(dict(zip(names, key, strict=True)) | {
                "days_ahead": int(end), "observed_revenue": observed,
                "is_covered": (found.low <= observed <= found.high) if known else None,
            } | _facts(model) | _estimated(found))  # fmt: skip
    integers = ("days_ahead", "person_count", "cohort_week_count", "observed_days")
    return _columns(
        rows, (*names, "is_covered", "missing_reason"), integers,
        ("value", "value_low", "value_high", "observed_revenue"),
    )  # fmt: skip


def _values(
    dimensions: ArrayLike, segments: ArrayLike, weeks: ArrayLike, ages: ArrayLike, people: ArrayLike,
    active: ArrayLike, revenue: ArrayLike, days_ahead: ArrayLike, minimum_people: int,
    observed_share: float, latest_days: int,
) -> Iterator[tuple[tuple[str, str], CohortValue, tuple[NDArray[Any], ...]]]:  # fmt: skip
    """Each segment in order, its fit to the rows that were known, and the other rows."""
    dimension, segment = np.asarray(dimensions, dtype=object), np.asarray(segments, dtype=object)
    numbers = [
        np.asarray(column, dtype=np.float64)
        for column in (weeks, ages, people, active, revenue, days_ahead)
    ]
    for key in sorted(set(zip(dimension.tolist(), segment.tolist(), strict=True))):
        rows = (dimension == key[0]) & (segment == key[1])
        week, age, size, busy, money, ahead = (column[rows] for column in numbers)
        known = ahead == 0
        cohorts = cohort_days(week[known], age[known], size[known], busy[known], money[known])
        model = fit_cohort_value(cohorts, minimum_people, observed_share, latest_days)
        yield key, model, (ahead[~known], age[~known], size[~known], money[~known])


def _facts(model: CohortValue) -> dict[str, Any]:
    size = model.cohorts.people
    return {
        "person_count": int(size[:, 0].sum()) if size.size else 0,
        "cohort_week_count": len(size),
        "observed_days": model.observed_days,
        "daily_activity_rate": model.daily_activity,
        "daily_leave_rate": model.daily_leaving,
        "leave_rate_spread": model.leaving_spread,
    }


def _estimated(found: ValueEstimate) -> dict[str, Any]:
    return {
        "value": found.value, "value_low": found.low, "value_high": found.high,
        "observed_value": found.observed, "active_days": found.active_days,
        "revenue_per_active_day": found.revenue_per_active_day,
        "missing_reason": None if found.reason is None else found.reason.value,
    }  # fmt: skip


def _columns(
    rows: list[dict[str, Any]],
    texts: Sequence[str],
    integers: Sequence[str],
    numbers: Sequence[str],
) -> Columns:
    """Rows as columns of a Python model, also when there are none."""
    kinds: dict[str, Any] = dict.fromkeys(texts, object)
    kinds |= dict.fromkeys(integers, np.int64) | dict.fromkeys(numbers, np.float64)
    return {name: np.array([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()}


def _future(
    x: NDArray[Any], last: NDArray[Any], end: NDArray[Any], paid: NDArray[Any],
    horizon: float, steps: int, step_rate: float, minimum_customers: int, level: float,
) -> tuple[OrderModel, SpendModel, CustomerValues, NDArray[Any]]:  # fmt: skip
    """Both fits of one kind of order, values of its distinct customers, and which of them each row is."""
    unique, place, weights = np.unique(
        np.stack([x, last, end, paid], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    frequent, latest, until, worth = unique.T
    orders = fit_orders(frequent, latest, until, weights, minimum_customers)
    again = (frequent > 0) & (worth > 0)
    money = fit_spend(frequent[again], worth[again], weights[again], minimum_customers)
    values = customer_values(
        orders, money, frequent, latest, until, worth, horizon, steps, step_rate, level
    )
    return orders, money, values, place.ravel()


def _counts(
    plans: ArrayLike, cohorts: ArrayLike, periods: ArrayLike, renewed: ArrayLike, lost: ArrayLike
) -> RenewalCounts:
    kept, left = np.asarray(renewed, dtype=np.float64), np.asarray(lost, dtype=np.float64)
    return renewal_counts(plans, cohorts, periods, kept + left, left)


def _labels(reasons: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array(
        [None if reason is None else Missing(reason).value for reason in reasons], dtype=object
    )


def _flags(flags: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Booleans, None where they are not known."""
    return np.array(
        [bool(flag) if there else None for flag, there in zip(flags, known, strict=True)],
        dtype=object,
    )
