"""Scenarios: what a forecast becomes when a lever is moved.

scenario = structural(scenario) / structural(base) x forecast. The cohort convolution says by how much a lever
moves each day, the forecast from where. Without a lever the ratio is exactly 1; a structural series is
linear in acquisition, with weights that are not negative, so more people who join never make fewer on
any day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plumbline.statistics.forecasts import JOINING
from plumbline.statistics.forecasts_cohorts import (
    ACTIVE,
    BASE,
    Lever,
    Levers,
    cohorts,
    structural,
)

Columns: TypeAlias = dict[str, NDArray[Any]]

SHOWN = ("p10", "p50", "p90")
NO_STRUCTURE = "no_structure"
COLUMNS = (
    "scenario", "metric", "origin_date", "target_date", "horizon_days",
    "structural_value", "base_structural_value", *SHOWN, "missing_reason",
)  # fmt: skip


def levers_of(
    scenarios: ArrayLike, levers: ArrayLike, factors: ArrayLike, starts: ArrayLike
) -> dict[str, Levers]:
    """Levers by scenario from rows of one lever each.

    Args:
        scenarios, levers: names; a lever is acquisition, retention, conversion or price, once a scenario.
        factors: what it is multiplied by, above 0 (retention) or 0 and above.
        starts: day ahead from which on it holds, from 1.

    Raises:
        ValueError: a lever is unknown or stands twice, a factor or day is out of its range.
    """
    held: dict[str, dict[str, Lever]] = {}
    rows = zip(
        np.asarray(scenarios).tolist(), np.asarray(levers).tolist(),
        np.asarray(factors, dtype=np.float64).tolist(), np.asarray(starts).tolist(), strict=True,
    )  # fmt: skip
    for scenario, lever, factor, start in rows:
        if lever not in Levers.__dataclass_fields__ or lever in held.get(scenario, {}):
            raise ValueError(f"scenario {scenario}: lever {lever} is unknown or stands twice")
        if not (0 <= factor < np.inf) or (lever == "retention" and factor == 0) or start < 1:
            raise ValueError(f"scenario {scenario}: factor or first day of {lever} is out of range")
        held.setdefault(scenario, {})[lever] = Lever(factor, int(start))
    return {scenario: Levers(**named) for scenario, named in sorted(held.items())}


def scenario_table(
    scenarios: Mapping[str, Levers],
    forecasts: Mapping[str, ArrayLike],
    step_metrics: ArrayLike,
    step_cohorts: ArrayLike,
    step_dates: ArrayLike,
    steps: ArrayLike,
    window: int,
) -> Columns:
    """The latest forecast of every series under every scenario; one row a scenario, series and day.

    Args:
        scenarios: from :func:`levers_of`.
        forecasts: columns of :func:`plumbline.statistics.forecasts.forecast_table`.
        step_metrics, step_cohorts, step_dates, steps: changes by cohort, as given to that function.
        window: days that rates are pooled over, as of the forecast.
    """
    held = {key: np.asarray(column) for key, column in forecasts.items()}
    origins = held["origin_date"].astype("datetime64[D]")
    if not len(origins):
        return {key: np.zeros(0, dtype=object) for key in COLUMNS}
    latest = np.flatnonzero(origins == origins.max())
    metric = held["metric"][latest]
    # Days ahead of every series in order, so that all of them are arrays of one length.
    rows = {
        str(name): latest[metric == name][np.argsort(held["horizon_days"][latest[metric == name]])]
        for name in sorted(set(metric.tolist()))
    }
    expected = np.asarray(held["structural_value"][rows.get(JOINING, [])], dtype=np.float64)
    built: dict[str, dict[str, NDArray[np.float64]]] = {}
    if len(expected) and np.isfinite(expected).all() and len(np.asarray(step_metrics)):
        built = _built(
            {"": BASE, **scenarios}, expected, origins.max(),
            (step_metrics, step_cohorts, step_dates, steps), window,
        )  # fmt: skip
    parts = [
        _part(scenario, name, place, held, built, origins.max())
        for scenario in scenarios
        for name, place in rows.items()
    ]
    table = {key: np.concatenate([part[key] for part in parts]) for key in COLUMNS}
    _nest(table)
    return table


def _built(
    scenarios: Mapping[str, Levers],
    expected: NDArray[np.float64],
    origin: np.datetime64,
    changes: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    window: int,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Structural series of every scenario, acquisition among them."""
    names, joined, dates, steps = changes
    joined, dates = (np.asarray(each, dtype="datetime64[D]") for each in (joined, dates))
    start = joined.min()
    size = int((origin - start).astype(np.int64)) + 1
    known = cohorts(
        names, (joined - start).astype(np.int64), (dates - start).astype(np.int64), steps, size
    )
    built = {}
    for scenario, levers in scenarios.items():
        series = structural(known, size - 1, expected, window, 0, levers)
        joining = expected.copy()
        joining[levers.acquisition.start - 1 :] *= levers.acquisition.factor
        built[scenario] = {**series, JOINING: joining}
    return built


def _part(
    scenario: str,
    metric: str,
    place: NDArray[np.int64],
    held: Mapping[str, NDArray[Any]],
    built: Mapping[str, Mapping[str, NDArray[np.float64]]],
    origin: np.datetime64,
) -> Columns:
    """Rows of one series under one scenario."""
    count = len(place)
    nothing = np.full(count, np.nan)
    moved = built.get(scenario, {}).get(metric, nothing)
    base = built.get("", {}).get(metric, nothing)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(moved == base, 1.0, moved / base)
    ratio[~np.isfinite(ratio)] = np.nan
    # A series whose people are not known can be forecast, but no lever moves it.
    reasons = held["missing_reason"][place].astype(object)
    reasons[np.isnan(ratio) & np.array([reason is None for reason in reasons])] = NO_STRUCTURE
    return {
        "scenario": np.full(count, scenario, dtype=object),
        "metric": np.full(count, metric, dtype=object),
        "origin_date": np.full(count, origin),
        "target_date": held["target_date"][place].astype("datetime64[D]"),
        "horizon_days": held["horizon_days"][place].astype(np.int64),
        "structural_value": moved,
        "base_structural_value": base,
        **{key: held[key][place].astype(np.float64) * ratio for key in SHOWN},
        "missing_reason": reasons,
    }


def _nest(table: Columns) -> None:
    """Who is active on a day is active in its week, in every scenario."""
    day, week = (table["metric"] == name for name in ACTIVE)
    if day.sum() == week.sum():
        for key in SHOWN:
            table[key][week] = np.fmax(table[key][week], table[key][day])
