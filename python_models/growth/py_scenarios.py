"""The latest forecast under every scenario: published by fct_scenarios."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.scenarios import levers_of, scenario_table

NUMBERS = ("structural_value", "base_structural_value", "p10", "p50", "p90")
SCHEMA = pa.schema(
    [("scenario", pa.string()), ("metric", pa.string())]
    + [("origin_date", pa.date32()), ("target_date", pa.date32()), ("horizon_days", pa.int64())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("missing_reason", pa.string())]
)


def model(dbt, session):
    """One row per scenario, series and day ahead."""
    levers = read(dbt.ref("growth_scenarios"), ["scenario", "lever"])
    rows = read(dbt.ref("py_forecasts"), ["metric", "origin_date", "target_date"])
    steps = read(dbt.ref("int_series_cohorts_stepped"), ["metric", "cohort_date", "step_date"])
    forecasts = {name: numbers(rows, name) for name in ("structural_value", "p10", "p50", "p90")}
    for name in ("metric", "origin_date", "target_date", "horizon_days", "missing_reason"):
        forecasts[name] = rows[name].to_numpy()
    columns = scenario_table(
        levers_of(
            *(texts(levers, name) for name in ("scenario", "lever")),
            *(numbers(levers, name) for name in ("factor", "start_offset_days")),
        ),
        forecasts,
        texts(steps, "metric"),
        *(steps[name].to_numpy() for name in ("cohort_date", "step_date")),
        numbers(steps, "step_value"),
        window=int(dbt.config.meta_get("window")),
    )
    return write(session, columns, SCHEMA)
