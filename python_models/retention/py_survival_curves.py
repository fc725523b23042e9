"""Kaplan-Meier curve of every segment: computed here, published by agg_survival__ages."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.survival import kaplan_meier

SCHEMA = pa.schema(
    [
        ("segment_dimension", pa.string()),
        ("segment_value", pa.string()),
        ("age_days", pa.int64()),
        ("survival_rate", pa.float64()),
        ("survival_standard_error", pa.float64()),
        ("survival_low", pa.float64()),
        ("survival_high", pa.float64()),
        ("restricted_mean_days", pa.float64()),
    ]
)


def model(dbt, session):
    """Chance to be still here at each age of each segment."""
    keys = ["segment_dimension", "segment_value", "age_days"]
    rows = read(dbt.ref("int_lifetimes_aggregated_to_ages"), keys)
    dimensions, values = (texts(rows, key) for key in keys[:2])
    curves = kaplan_meier(
        [f"{name}={value}" for name, value in zip(dimensions, values, strict=True)],
        *(numbers(rows, column) for column in ("age_days", "at_risk_count", "lapsed_count")),
        confidence=float(dbt.config.meta_get("confidence")),
    )
    columns = {key: rows[key] for key in keys} | {
        "survival_rate": curves.survival,
        "survival_standard_error": curves.standard_error,
        "survival_low": curves.low,
        "survival_high": curves.high,
        "restricted_mean_days": curves.restricted_mean,
    }
    return write(session, columns, SCHEMA)
