"""Satisfaction of slices with its intervals; published by agg_satisfaction__slices and __daily_slices."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quality_tables import satisfaction_columns

KEYS = ["window_days", "day_number", "slice_dimension", "slice_value"]
KINDS = ("", "reweighted_", "shrunk_")
VALUES = [f"{kind}mean_score{end}" for kind in KINDS for end in ("", "_low", "_high")]
SCHEMA = pa.schema(
    [("window_days", pa.int64()), ("day_number", pa.int64()), ("slice_dimension", pa.string()),
     ("slice_value", pa.string())] + [(name, pa.float64()) for name in VALUES]
)  # fmt: skip


def model(dbt, session):
    """One row per window, its last day and slice."""
    rows = read(dbt.ref("int_satisfaction_summed"), KEYS)
    found = satisfaction_columns(
        arrays(rows),
        float(dbt.config.meta_get("alpha")),
        int(dbt.config.meta_get("minimum_people")),
    )
    return write(session, {key: rows[key] for key in KEYS} | found, SCHEMA)
