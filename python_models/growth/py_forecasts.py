"""Forecasts of daily series and what earlier ones were worth: published by the marts of growth."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.forecasts import LABELS, NUMBERS, Settings, forecast_table

SCHEMA = pa.schema(
    [("metric", pa.string()), ("origin_date", pa.date32()), ("target_date", pa.date32())]
    + [("horizon_days", pa.int64())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [(name, pa.bool_() if name.startswith("is_") else pa.string()) for name in LABELS]
)


def model(dbt, session):
    """One row per series, origin and day ahead."""
    series = read(dbt.ref("int_series_collected"), ["metric", "series_date"])
    steps = read(dbt.ref("int_series_cohorts_stepped"), ["metric", "cohort_date", "step_date"])
    days = (
        dbt.config.meta_get("horizon"), dbt.config.meta_get("minimum_days"),
        dbt.config.meta_get("fit_days"), dbt.config.meta_get("refit_days"),
        dbt.config.meta_get("origin_step"), dbt.config.meta_get("maximum_origins"),
        dbt.config.meta_get("minimum_origins"), dbt.config.meta_get("window"),
    )  # fmt: skip
    weight = float(dbt.config.meta_get("structural_weight"))
    columns = forecast_table(
        texts(series, "metric"),
        series["series_date"].to_numpy(),
        numbers(series, "series_value"),
        texts(steps, "metric"),
        steps["cohort_date"].to_numpy(),
        steps["step_date"].to_numpy(),
        numbers(steps, "step_value"),
        Settings(*(int(number) for number in days), weight, levels=(0.8, 0.95)),
    )
    return write(session, columns, SCHEMA)
