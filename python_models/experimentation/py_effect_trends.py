"""Whether effects wear off with time since exposure; published by fct_effect_trends."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.breakdowns import effect_trends

KEYS = ["experiment_id", "phase", "variation_id", "metric", "age_days"]
NUMBERS = ["first_effect", "last_effect", "slope_per_day", "slope_error", "p_value"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "metric", "trend", "reason")]
    + [(name, pa.int64()) for name in ("phase", "day_count")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric."""
    rows = arrays(read(dbt.ref("int_exposure_ages_paired"), KEYS))
    return write(session, effect_trends(rows, float(dbt.config.meta_get("alpha"))), SCHEMA)
