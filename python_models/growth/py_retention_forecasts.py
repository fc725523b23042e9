"""Who will stay, and what earlier forecasts of it were worth: published by the marts of retention."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.forecasts_retention import retention_forecast_table

COUNTS = ("steps_ahead", "fitted_customer_count", "customer_count", "kept_count")
NUMBERS = ("expected_kept", "p025", "p10", "p90", "p975")
SCHEMA = pa.schema(
    [("subject", pa.string()), ("segment_value", pa.string()), ("origin_date", pa.date32())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("missing_reason", pa.string())]
)


def model(dbt, session):
    """One row per subject, segment, origin and number of steps ahead."""
    keys = [
        "subject",
        "segment_value",
        "origin_date",
        "is_ahead",
        "renewals_made_count",
        "steps_ahead",
    ]
    rows = read(dbt.ref("int_forecast_retentions_collected"), keys)
    columns = retention_forecast_table(
        *(texts(rows, name) for name in keys[:2]),
        rows["origin_date"].to_numpy(),
        rows["is_ahead"].to_pylist(),
        *(numbers(rows, name) for name in (*keys[4:], "customer_count", "kept_count")),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        levels=(0.8, 0.95),
    )
    return write(session, columns, SCHEMA)
