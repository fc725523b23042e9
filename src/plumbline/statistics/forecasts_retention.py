"""Forecast and back-test of who stays, from the shifted beta-geometric model.

The model of ``lifetime_contractual`` is fitted to the steps (renewals of a plan, weeks of use) known on a day
and says how many of those who were there will make their next steps. Nothing after the day is looked at, so
that what came after it tests the forecast.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plumbline.statistics.lifetime_tables import renewal_hold_outs

Columns: TypeAlias = dict[str, NDArray[Any]]

COLUMNS = (
    "subject", "segment_value", "origin_date", "steps_ahead", "fitted_customer_count", "customer_count",
    "kept_count", "expected_kept", "p025", "p10", "p90", "p975", "missing_reason",
)  # fmt: skip


def retention_forecast_table(
    subjects: ArrayLike,
    segments: ArrayLike,
    origins: ArrayLike,
    is_ahead: ArrayLike,
    steps_made: ArrayLike,
    steps_ahead: ArrayLike,
    customers: ArrayLike,
    kept: ArrayLike,
    minimum_customers: int,
    levels: tuple[float, float],
) -> Columns:
    """How many will make their next steps; one row a subject, segment, origin and number of steps.

    Each segment is fitted on each origin anew (Fader and Hardie 2007); intervals hold the doubt about the
    parameters and the chance of the steps themselves.

    Args:
        subjects, segments, origins: what is forecast, of whom, and the day.
        is_ahead: whether a row came after the day; the others are fitted.
        steps_made: steps its customers had made.
        steps_ahead: steps ahead that are looked at; 1 in a fitted row.
        customers: customers of the row.
        kept: those who made these steps; NaN while it is still to come.
        minimum_customers: segments with fewer customers get no fit.
        levels: coverage of the narrow and of the wide interval.
    """
    place, names = _places(subjects, segments, origins)
    if not len(place):
        return {key: np.zeros(0, dtype=object) for key in COLUMNS}
    seen = np.asarray(kept, dtype=np.float64)
    narrow, wide = (
        renewal_hold_outs(
            place, is_ahead, steps_made, steps_ahead, customers,
            np.where(np.isnan(seen), 0.0, seen), minimum_customers, level,
        )
        for level in levels
    )  # fmt: skip
    found = narrow["plan_id"].astype(np.int64)
    # A day whose rows lie ahead is the last one: nothing is known of them yet.
    ahead = np.asarray(is_ahead, dtype=np.bool_)
    open_places = set(place[ahead & np.isnan(seen)].tolist())
    is_open = np.array([each in open_places for each in found.tolist()], dtype=np.bool_)
    low, high = "predicted_renewals_low", "predicted_renewals_high"
    return {
        "subject": names[0][found],
        "segment_value": names[1][found],
        "origin_date": names[2][found],
        "steps_ahead": narrow["steps_ahead"],
        "fitted_customer_count": narrow["fitted_customer_count"],
        "customer_count": narrow["customer_count"],
        "kept_count": np.where(is_open, np.nan, narrow["renewed_count"].astype(np.float64)),
        "expected_kept": narrow["predicted_renewals"],
        "p025": np.minimum(wide[low], narrow[low]),
        "p10": narrow[low],
        "p90": narrow[high],
        "p975": np.maximum(wide[high], narrow[high]),
        "missing_reason": narrow["missing_reason"],
    }


def _places(
    subjects: ArrayLike, segments: ArrayLike, origins: ArrayLike
) -> tuple[NDArray[np.int64], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Number of the group of each row, and what the groups are called."""
    day = np.asarray(origins, dtype="datetime64[D]")
    keys = list(
        zip(np.asarray(subjects).tolist(), np.asarray(segments).tolist(), day.tolist(), strict=True)
    )
    groups = sorted(set(keys))
    number = {key: index for index, key in enumerate(groups)}
    place = np.array([number[key] for key in keys], dtype=np.int64)
    return place, (
        np.array([key[0] for key in groups], dtype=object),
        np.array([key[1] for key in groups], dtype=object),
        np.array([key[2] for key in groups], dtype="datetime64[D]"),
    )
