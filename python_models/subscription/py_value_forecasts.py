"""Value of a new member by segment: computed here, published by agg_lifetime_values__forecast."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import value_forecasts

KEYS = ("segment_dimension", "segment_value", "weeks_ago", "age_days")
COUNTS = ("horizon_days", "person_count", "cohort_week_count", "observed_days")
NUMBERS = (
    "daily_activity_rate", "daily_leave_rate", "leave_rate_spread", "value", "value_low", "value_high",
    "observed_value", "active_days", "revenue_per_active_day",
)  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in KEYS[:2]]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("missing_reason", pa.string())]
)


def model(dbt, session):
    """Retention times revenue per active day, as seen and further on."""
    rows = read(dbt.ref("int_values_aggregated_to_cohort_weeks"), KEYS)
    columns = value_forecasts(
        *(texts(rows, name) for name in KEYS[:2]),
        *(
            numbers(rows, name)
            for name in (*KEYS[2:], "person_count", "active_count", "revenue_usd")
        ),
        horizons=list(dbt.config.meta_get("horizons_days")),
        minimum_people=int(dbt.config.meta_get("minimum_people")),
        observed_share=float(dbt.config.meta_get("observed_share")),
        latest_days=int(dbt.config.meta_get("latest_days")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
