"""Beyond one number per experiment: effects by days since exposure, and on those who could be affected."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from plumbline.statistics.exposures import diluted_effect, novelty_trend
from plumbline.statistics.means import compare_means, delta_relative_error, summarise_mean
from plumbline.statistics.outcomes import Outcome, Reason
from plumbline.statistics.ratios import summarise_ratio
from plumbline.statistics.readouts import Columns, groups_of, moments_of, nullable, rows

_KEYS = ("experiment_id", "phase", "variation_id", "metric")


def age_effects(columns: Columns, alpha: float) -> dict[str, Any]:
    """Effect on each day since exposure, of that day alone.

    Estimand: difference of means per unit (of ratios for kind ratio) on that day, T - C, and T / C - 1.
    Formulas: ``compare_means`` on ``summarise_mean`` or ``summarise_ratio``; the error of the relative
    effect is ``delta_relative_error``, where C > 5 se_C.

    Args:
        columns: one row per experiment, phase, treatment and age_days, with kind, scale, and of both arms
            unit_count and sums y, d, yy, yd, dd about 0.
        alpha: error of intervals.
    """
    count = len(columns["kind"])
    found = {name: np.full(count, np.nan) for name in (
        "control_value", "treatment_value", "difference", "standard_error", "difference_low",
        "difference_high", "relative_difference", "relative_error")}  # fmt: skip
    reason = np.full(count, None, dtype=object)
    zero = np.zeros(count)
    # Sums are about 0, and cubes are not measured by day.
    about_zero = dict(columns) | {"numerator_pivot": zero, "denominator_pivot": zero}
    about_zero |= {"control_sum_yyy": zero, "treatment_sum_yyy": zero}
    is_ratio = columns["kind"] == "ratio"
    for chosen, ratio in ((is_ratio, True), (~is_ratio, False)):
        part = rows(about_zero, chosen)
        arms = [
            summarise_ratio(moments_of(part, arm, "yd"))
            if ratio
            else summarise_mean(moments_of(part, arm, "y"))
            for arm in ("control", "treatment")
        ]
        compared = compare_means(arms[0], arms[1], alpha, not ratio)
        inside = compared.interval.defined
        base = arms[0].estimate + arms[0].rest
        # A control that is not clearly above 0 gives no relative effect.
        clear = inside & (base > 5 * np.sqrt(arms[0].squared_error))
        safe = np.where(clear, base, 1.0)
        relative = compared.difference.values / safe
        error = delta_relative_error(arms[0], arms[1]).values
        for name, values in {
            "control_value": nullable(Outcome.of(arms[0].estimate, arms[0].reasons)),
            "treatment_value": nullable(Outcome.of(arms[1].estimate, arms[1].reasons)),
            "difference": nullable(compared.difference),
            "standard_error": nullable(compared.standard_error),
            "difference_low": np.where(inside, compared.interval.low, np.nan),
            "difference_high": np.where(inside, compared.interval.high, np.nan),
            "relative_difference": np.where(clear, relative, np.nan),
            "relative_error": np.where(clear, error, np.nan),
        }.items():
            found[name][chosen] = values
        reason[chosen] = compared.standard_error.names()
    keys = (*_KEYS, "age_days", "control_unit_count", "treatment_unit_count")
    return {**{key: columns[key] for key in keys}, **found, "reason": reason}


def effect_trends(columns: Columns, alpha: float) -> dict[str, Any]:
    """Does the effect wear off, or grow? One row per experiment, phase, treatment and metric.

    Estimand and formula: ``novelty_trend`` on the relative effect of each day: of people who come less and
    less, any lasting effect gets smaller in absolute terms. Days are taken as independent; the same people
    are behind all of them, which makes the test of a change careful rather than bold.

    Args:
        columns: as of :func:`age_effects`.
        alpha: error below which an effect that moves towards 0 is said to fade.
    """
    effects = age_effects(columns, alpha)
    first, group = groups_of(effects, _KEYS)
    ages = effects["age_days"].astype(np.int64)
    count, days = len(first), int(ages.max(initial=-1)) + 1
    values, errors = np.zeros((max(days, 1), count)), np.zeros((max(days, 1), count))
    usable = ~np.isnan(effects["relative_error"])
    place = (ages[usable], group[usable])
    values[place] = effects["relative_difference"][usable]
    errors[place] = effects["relative_error"][usable]
    trend = novelty_trend(np.arange(max(days, 1)), values, errors, alpha)
    fades = nullable(trend.fades)
    return {
        **{key: effects[key][first] for key in _KEYS},
        "day_count": (errors > 0).sum(axis=0).astype(np.float64),
        "first_effect": nullable(trend.first),
        "last_effect": nullable(trend.last),
        "slope_per_day": nullable(trend.slope),
        "slope_error": nullable(trend.slope_error),
        "p_value": nullable(trend.p.value),
        "trend": np.select(
            [np.isnan(fades), fades == 1, trend.p.value.values < alpha],
            ["unknown", "fades", "changes"],
            "steady",
        ).astype(object),
        "reason": trend.slope.names(),
    }


def triggered_effects(columns: Columns, alpha: float) -> dict[str, Any]:
    """Effect on all units from that on the triggered ones, which is less noisy.

    Estimand and formula: ``diluted_effect``. Valid where the treatment does not move the trigger itself.

    Args:
        columns: one row per experiment, phase, treatment and metric: counts of units of both arms, in all and
            triggered, control_value of all, triggered_difference and triggered_standard_error.
        alpha: error of the interval.
    """
    missing = np.isnan(columns["triggered_standard_error"]) | np.isnan(columns["control_value"])
    codes = np.where(missing, np.int8(Reason.TOO_FEW_USERS), np.int8(0)).astype(np.int8)
    triggered = columns["triggered_control_unit_count"] + columns["triggered_treatment_unit_count"]
    exposed = columns["control_unit_count"] + columns["treatment_unit_count"]
    diluted = diluted_effect(
        Outcome.of(np.nan_to_num(columns["triggered_difference"]), codes),
        Outcome.of(np.nan_to_num(columns["triggered_standard_error"]), codes),
        triggered,
        exposed,
        np.nan_to_num(columns["control_value"]),
    )
    half = float(special.ndtri(1 - alpha / 2)) * nullable(diluted.standard_error)
    value = nullable(diluted.difference)
    return {
        **{key: columns[key] for key in _KEYS},
        "trigger_rate": nullable(diluted.trigger_rate),
        "diluted_difference": value,
        "diluted_standard_error": nullable(diluted.standard_error),
        "diluted_low": value - half,
        "diluted_high": value + half,
        "diluted_relative": nullable(diluted.relative),
        "reason": diluted.difference.names(),
    }
