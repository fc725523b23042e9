"""Revenue predicted at a past day beside what came after: published by agg_lifetime_value_holdouts."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import value_hold_outs

KEYS = ("segment_dimension", "segment_value", "weeks_ago", "age_days", "days_ahead")
COUNTS = ("days_ahead", "person_count", "cohort_week_count", "observed_days")
NUMBERS = ("value", "value_low", "value_high", "observed_revenue")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in KEYS[:2]]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("is_covered", pa.bool_()), ("missing_reason", pa.string())]
)


def model(dbt, session):
    """Fit on what was known, prediction of the rest, comparison."""
    rows = read(dbt.ref("int_values_held_out"), KEYS)
    columns = value_hold_outs(
        *(texts(rows, name) for name in KEYS[:2]),
        *(
            numbers(rows, name)
            for name in (*KEYS[2:], "person_count", "active_count", "revenue_usd")
        ),
        minimum_people=int(dbt.config.meta_get("minimum_people")),
        observed_share=float(dbt.config.meta_get("observed_share")),
        latest_days=int(dbt.config.meta_get("latest_days")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
