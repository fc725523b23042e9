"""Forecasts of daily series with intervals and rolling-origin back-tests.

For each series and origin: additive exponential smoothing of log1p (``forecasts_smoothing``), blended
geometrically with the cohort convolution (``forecasts_cohorts``), inside intervals made of the errors of
earlier origins (``forecasts_intervals``). An origin looks at nothing after it: a back-test is what would have
been published on that day. A fit that does not converge, or runs past three times the highest value of
the last 56 days, gives way to Theta, and Theta to seasonal naive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from plumbline.statistics.forecasts_cohorts import (
    ACTIVE,
    PAYING,
    Cohorts,
    calibrated,
    cohorts,
    structural,
)
from plumbline.statistics.forecasts_intervals import interval_widths, scores, wider_spread
from plumbline.statistics.forecasts_smoothing import (
    WEEK,
    Path,
    Smoothing,
    States,
    filtered,
    naive_path,
    recent_sigma,
    smooth,
    smoothed_path,
    theta_path,
)

Floats: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = dict[str, NDArray[Any]]

JOINING = "new_users"
# A path that passes so many times the highest value of so many last days is no forecast.
EXPLODES = 3.0
RECENT_DAYS = 56
# While history is short, weights are estimated anew when it grew by one part of so many.
REFIT_PART = 5
# Days the level of the cohort convolution is taken from.
LEVEL_DAYS = 14
# Acquisition is a sum of people: the mean of a skewed forecast is at most so many times its median.
LARGEST_SMEAR = 2.0
QUANTILES = ("p025", "p10", "p50", "p90", "p975")
NUMBERS = ("actual_value", *QUANTILES, "naive_value", "naive_scale", "structural_value")
LABELS = ("model", "is_gaussian_80", "is_gaussian_95", "missing_reason")
COLUMNS = ("metric", "origin_date", "target_date", "horizon_days", *NUMBERS, *LABELS)


class Missing(StrEnum):
    """Why a series has no forecast."""

    SHORT_HISTORY = "short_history"


@dataclass(frozen=True)
class Settings:
    """How series are forecast; none has a default.

    Attributes:
        horizon: days ahead.
        minimum_days: days of history below which nothing is forecast.
        fit_days: days a fit looks back.
        refit_days: days after which weights are estimated anew in the back-test; sooner while history is
            short: once it grew by a fifth.
        origin_step: days between origins.
        maximum_origins: latest origins that are tested.
        minimum_origins: origins from which on intervals are made of their errors.
        window: days that rates of cohorts are pooled over.
        structural_weight: share of the cohort convolution in the blend, 0 to 1.
        levels: coverage of the narrow and of the wide interval.
    """

    horizon: int
    minimum_days: int
    fit_days: int
    refit_days: int
    origin_step: int
    maximum_origins: int
    minimum_origins: int
    window: int
    structural_weight: float
    levels: tuple[float, float]

    def __post_init__(self) -> None:
        if self.minimum_days < 2 * WEEK or self.horizon < 1 or self.origin_step < 1:
            raise ValueError("a forecast needs two weeks, a horizon, and a step between origins")
        if self.window < 2 * WEEK or not 0 <= self.structural_weight <= 1:
            raise ValueError("rates need two weeks, a weight of the blend is a share")


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one series from several origins; arrays of shape (origins, steps).

    Attributes:
        origins: positions of the last known value of each, ascending; the last is the end of the series.
        actual: what came, NaN where it is still to come.
        quantiles: p025, p10, p50, p90, p975, shape (5, origins, steps).
        naive: seasonal naive.
        naive_scale: mean absolute error of seasonal naive one week ahead up to the origin, shape (origins,).
        structural: cohort convolution before it is moved to the level seen; expected people for acquisition.
        models: name of the model of each origin.
        gaussian, gaussian_wide: whether the interval stands on the normal distribution.
    """

    origins: NDArray[np.int64]
    actual: Floats
    quantiles: Floats
    naive: Floats
    naive_scale: Floats
    structural: Floats
    models: NDArray[np.object_]
    gaussian: NDArray[np.bool_]
    gaussian_wide: NDArray[np.bool_]


def origins_of(size: int, settings: Settings) -> NDArray[np.int64]:
    """Positions of the origins of a series of so many days, ascending, the last day always among them."""
    last, first = size - 1, settings.minimum_days - 1
    if last < first:
        return np.zeros(0, dtype=np.int64)
    count = min((last - first) // settings.origin_step, settings.maximum_origins)
    return np.asarray(last - settings.origin_step * np.arange(count, -1, -1), dtype=np.int64)


def backtest(
    values: ArrayLike, settings: Settings, whole: Mapping[int, Floats] | None = None
) -> Backtest:
    """Forecasts of one series from every origin, the last of which is the end of the series.

    Args:
        values: the series, a row a day, 0 or more, at least ``minimum_days`` long.
        settings: how.
        whole: by origin, the structural series: its last ``window`` days and the days ahead. None, or an
            origin that is missing: smoothing alone.
    """
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all() or (series < 0).any():
        raise ValueError("a series is a row a day of finite numbers, 0 or more")
    logs = np.log1p(series)
    origins = origins_of(len(series), settings)
    steps = settings.horizon
    found = _candidates(series, logs, origins, settings)
    names = found.names
    centre, spread = (
        np.array([getattr(path, part) for path in found.paths]).reshape(-1, steps)
        for part in ("centre", "spread")
    )
    rough = np.full(centre.shape, np.nan)
    window = settings.window
    for row, origin in enumerate(origins.tolist()):
        if whole is None or origin not in whole:
            continue
        rough[row] = whole[origin][window:]
        start = max(origin + 1 - window, 0)
        known = origin + 1 - start
        moved = calibrated(
            whole[origin][window - known :], logs[start : origin + 1], known, LEVEL_DAYS, WEEK
        )
        weight = settings.structural_weight
        centre[row] = weight * moved + (1 - weight) * centre[row]
        names[row] = f"{names[row]}+cohorts"
    own = spread
    spread = wider_spread(spread, centre, found.others, found.known, found.estimated)
    days = origins[:, None] + np.arange(1, steps + 1)
    there = days < len(series)
    reached = np.minimum(days, len(series) - 1)
    errors = scores(np.where(there, logs[reached], np.nan), centre, spread)
    # A jump of a series that had stood still is thousands of its standard deviations. No interval reaches
    # further than the series ever moved, unless the model says so itself.
    moved_by = np.array([np.ptp(logs[: origin + 1]) for origin in origins])[:, None]
    furthest = [
        np.maximum(moved_by, float(special.ndtri((1 + level) / 2)) * own)
        for level in settings.levels
    ]
    widths, gaussian = interval_widths(
        errors,
        origins,
        np.array(furthest) / spread,
        settings.levels,
        settings.minimum_origins,
        WEEK,
    )
    narrow, wide = widths * spread
    shifts = np.stack([-wide, -narrow, np.zeros_like(wide), narrow, wide])
    lag = np.abs(series[WEEK:] - series[:-WEEK])
    return Backtest(
        origins,
        np.where(there, series[reached], np.nan),
        np.maximum(np.expm1(centre + shifts), 0.0),
        np.expm1(np.array([naive_path(logs[: o + 1], steps).centre for o in origins])),
        np.array([lag[: o + 1 - WEEK].mean() for o in origins]),
        rough, names, *gaussian,
    )  # fmt: skip


def forecast_table(
    metrics: ArrayLike,
    dates: ArrayLike,
    values: ArrayLike,
    step_metrics: ArrayLike,
    step_cohorts: ArrayLike,
    step_dates: ArrayLike,
    steps: ArrayLike,
    settings: Settings,
) -> Columns:
    """Forecasts and back-tests of all series: one row a series, origin and day ahead.

    Rows of the last origin are the forecast; of earlier ones only days that have come are kept.

    Args:
        metrics, dates, values: the series, a row a day without gaps each.
        step_metrics, step_cohorts, step_dates, steps: changes by cohort, as of
            :func:`plumbline.statistics.forecasts_cohorts.cohorts`, with dates.
        settings: how.
    """
    name, day = np.asarray(metrics, dtype=object), np.asarray(dates, dtype="datetime64[D]")
    value = np.asarray(values, dtype=np.float64)
    series = {
        str(metric): _begun(day[name == metric], value[name == metric])
        for metric in sorted(set(name.tolist()))
    }
    joined = np.asarray(step_cohorts, dtype="datetime64[D]")
    found: dict[str, tuple[np.datetime64, Backtest]] = {}
    empty = []
    known, start = _known(series, step_metrics, joined, step_dates, steps)
    rough: dict[str, dict[int, Floats]] = {}
    for metric in sorted(series, key=lambda each: (each != JOINING, each)):
        days, numbers = series[metric]
        if len(numbers) < settings.minimum_days:
            empty.append(metric)
            continue
        offset = int((days[0] - start).astype(np.int64))
        found[metric] = (days[0], _series(numbers, offset, metric, rough, known, settings))
    if "daily_active_users" in found and "weekly_active_users" in found:
        _nest(found)
    return _rows(found, {metric: series[metric] for metric in empty}, day, settings)


def _series(
    numbers: Floats,
    offset: int,
    metric: str,
    rough: dict[str, dict[int, Floats]],
    known: Cohorts | None,
    settings: Settings,
) -> Backtest:
    """Back-test of one series; acquisition comes first and fills ``rough`` for the others."""
    if metric != JOINING or known is None:
        whole = {
            origin - offset: series
            for origin, series in rough.get(metric, {}).items()
            if len(series) == settings.window + settings.horizon
        }
        return backtest(numbers, settings, whole)
    result = backtest(numbers, settings)
    past = settings.window
    for row, origin in enumerate(result.origins.tolist()):
        expected = _expected(numbers[: origin + 1], result.quantiles[2, row])
        result.structural[row] = expected
        there = structural(known, offset + origin, expected, past, past)
        for each in (*ACTIVE, *PAYING):
            rough.setdefault(each, {})[offset + origin] = there[each]
    return result


def _expected(numbers: Floats, median: Floats) -> Floats:
    """Expected people from a forecast of medians (Duan 1983): a few a day are skewed."""
    recent = numbers[-RECENT_DAYS:]
    typical = np.expm1(np.log1p(recent).mean())
    smear = recent.mean() / typical if typical > 0 else 1.0
    return np.asarray(median * min(max(smear, 1.0), LARGEST_SMEAR))


@dataclass(frozen=True)
class _Candidates:
    """What simple models say from each origin; the first of them that does not run away is taken.

    Attributes:
        paths: the one that is taken.
        names: its name.
        others: centres of Theta and of seasonal naive, shape (2, origins, steps).
        known: days the fit looked at, shape (origins,).
        estimated: parameters and states of the largest fit among them.
    """

    paths: list[Path]
    names: NDArray[np.object_]
    others: Floats
    known: NDArray[np.int64]
    estimated: int


def _candidates(
    series: Floats, logs: Floats, origins: NDArray[np.int64], settings: Settings
) -> _Candidates:
    """Smoothed path of each origin, or what stands in for it, beside Theta and seasonal naive."""
    paths: list[Path] = []
    others: list[list[Floats]] = [[], []]
    names = np.full(len(origins), None, dtype=object)
    starts = np.zeros(len(origins), dtype=np.int64)
    estimated = 0
    fit: Smoothing | None = None
    states: States | None = None
    start = due = 0
    for row, origin in enumerate(origins.tolist()):
        if origin >= due or row == len(origins) - 1:
            start = max(origin + 1 - settings.fit_days, 0)
            due = origin + min(settings.refit_days, max(1, (origin + 1 - start) // REFIT_PART))
            fit = smooth(logs[start : origin + 1])
            states = filtered(fit, logs[start : origin + settings.refit_days]) if fit else None
        theta = theta_path(logs[start : origin + 1], settings.horizon)
        naive = naive_path(logs[: origin + 1], settings.horizon)
        path = None
        if fit is not None and states is not None:
            place = origin - start
            sigma = recent_sigma(states, logs[start:], place)
            path = smoothed_path(fit, states, place, settings.horizon, sigma)
            names[row] = "ets_damped" if fit.is_damped else "ets_level"
            estimated = max(estimated, fit.estimated)
        if path is None or explodes(path, series[: origin + 1]):
            path, names[row] = theta, "theta"
        if explodes(path, series[: origin + 1]):
            path, names[row] = naive, "seasonal_naive"
        paths.append(path)
        starts[row] = start
        for list_, other in zip(others, (theta, naive), strict=True):
            list_.append(other.centre)
    shape = (2, len(origins), settings.horizon)
    return _Candidates(
        paths, names, np.array(others).reshape(shape), origins + 1 - starts, estimated
    )


def explodes(path: Path, series: Floats) -> bool:
    """Whether a path is no number somewhere, or passes three times the highest of the last 56 days.

    Args:
        path: on the scale of log1p.
        series: values up to the origin.
    """
    highest = EXPLODES * series[-RECENT_DAYS:].max()
    with np.errstate(over="ignore"):
        ahead = np.expm1(path.centre)
    return not (np.isfinite(ahead).all() and np.isfinite(path.spread).all()) or bool(
        ahead.max() > highest
    )


def _begun(days: NDArray[Any], values: Floats) -> tuple[NDArray[Any], Floats]:
    """A series in order, from the first day on which there was anything."""
    order = np.argsort(days)
    days, values = days[order], values[order]
    there = np.flatnonzero(values > 0)
    first = int(there[0]) if len(there) else len(values)
    return days[first:], values[first:]


def _known(
    series: Mapping[str, tuple[NDArray[Any], Floats]],
    metrics: ArrayLike,
    joined: NDArray[Any],
    dates: ArrayLike,
    steps: ArrayLike,
) -> tuple[Cohorts | None, np.datetime64]:
    """Cohorts on one calendar, and its first day; None without anybody who joined."""
    filled = [days for days, _ in series.values() if len(days)]
    if not len(joined) or not filled:
        return None, filled[0][0] if filled else np.datetime64(0, "D")
    start = min(joined.min(), *(days[0] for days in filled))
    last = max(days[-1] for days in filled)
    size = int((last - start).astype(np.int64)) + 1
    places = [
        (np.asarray(each, dtype="datetime64[D]") - start).astype(np.int64)
        for each in (joined, dates)
    ]
    return cohorts(metrics, places[0], places[1], steps, size), start


def _nest(found: dict[str, tuple[np.datetime64, Backtest]]) -> None:
    """Who is active on a day is active in its week: no quantile of the week lies below that of the day."""
    (day_start, day), (week_start, week) = (
        found[f"{each}_active_users"] for each in ("daily", "weekly")
    )
    shift = int((week_start - day_start).astype(np.int64))
    _, rows, others = np.intersect1d(week.origins + shift, day.origins, return_indices=True)
    week.quantiles[:, rows] = np.maximum(week.quantiles[:, rows], day.quantiles[:, others])


def _rows(
    found: Mapping[str, tuple[np.datetime64, Backtest]],
    empty: Mapping[str, tuple[NDArray[Any], Floats]],
    days: NDArray[Any],
    settings: Settings,
) -> Columns:
    """Long columns of all back-tests and of the series without a forecast."""
    ahead = np.arange(1, settings.horizon + 1)
    parts: list[Columns] = []
    for metric, (start, result) in found.items():
        last = np.arange(len(result.origins)) == len(result.origins) - 1
        row, step = np.nonzero(np.isfinite(result.actual) | last[:, None])
        origin = start + result.origins[row]
        parts.append(
            {
                "metric": np.full(len(row), metric, dtype=object),
                "origin_date": origin,
                "target_date": origin + ahead[step],
                "horizon_days": ahead[step],
                "actual_value": result.actual[row, step],
                **{key: result.quantiles[place, row, step] for place, key in enumerate(QUANTILES)},
                "naive_value": result.naive[row, step],
                "naive_scale": result.naive_scale[row],
                "structural_value": result.structural[row, step],
                "model": result.models[row],
                "is_gaussian_80": result.gaussian[row, step].astype(object),
                "is_gaussian_95": result.gaussian_wide[row, step].astype(object),
                "missing_reason": np.full(len(row), None, dtype=object),
            }
        )
    for metric in empty:
        nothing = np.full(len(ahead), np.nan)
        none = np.full(len(ahead), None, dtype=object)
        parts.append(
            {
                "metric": np.full(len(ahead), metric, dtype=object),
                "origin_date": np.full(len(ahead), days.max()),
                "target_date": days.max() + ahead,
                "horizon_days": ahead,
                **dict.fromkeys(NUMBERS, nothing),
                **dict.fromkeys(LABELS, none),
                "missing_reason": np.full(len(ahead), Missing.SHORT_HISTORY.value, dtype=object),
            }
        )
    if not parts:
        return {key: np.zeros(0, dtype=object) for key in COLUMNS}
    return {key: np.concatenate([part[key] for part in parts]) for key in COLUMNS}
