"""Renewals predicted at a past day beside what came after: published by agg_renewal_holdouts."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import renewal_hold_outs

COUNTS = ("steps_ahead", "fitted_customer_count", "customer_count", "renewed_count")
NUMBERS = ("predicted_renewals", "predicted_renewals_low", "predicted_renewals_high")
SCHEMA = pa.schema(
    [("plan_id", pa.string())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("is_covered", pa.bool_()), ("missing_reason", pa.string())]
)


def model(dbt, session):
    """Fit on what was known, prediction of the rest, comparison."""
    keys = ["plan_id", "is_held_out", "renewals_made_count", "steps_ahead"]
    rows = read(dbt.ref("int_renewals_held_out"), keys)
    columns = renewal_hold_outs(
        texts(rows, "plan_id"),
        rows["is_held_out"].to_pylist(),
        *(numbers(rows, name) for name in keys[2:]),
        *(numbers(rows, name) for name in ("customer_count", "renewed_count")),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
