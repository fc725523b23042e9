"""Effects of each day since exposure on its own; published by agg_effects__age."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.breakdowns import age_effects

KEYS = ["experiment_id", "phase", "variation_id", "metric", "age_days"]
NUMBERS = [
    "control_value",
    "treatment_value",
    "difference",
    "standard_error",
    "difference_low",
    "difference_high",
    "relative_difference",
    "relative_error",
]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "metric", "reason")]
    + [
        (name, pa.int64())
        for name in ("phase", "age_days", "control_unit_count", "treatment_unit_count")
    ]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric and day since exposure."""
    rows = arrays(read(dbt.ref("int_exposure_ages_paired"), KEYS))
    return write(session, age_effects(rows, float(dbt.config.meta_get("alpha"))), SCHEMA)
