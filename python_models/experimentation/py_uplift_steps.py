"""Strata in the order of their effect, and what that order gains; published by agg_uplift_steps."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.uplift import uplift_steps

KEYS = ["experiment_id", "phase", "variation_id", "metric", "segment_value"]
NUMBERS = [
    "expected_effect",
    "measured_effect",
    "measured_error",
    "cumulative_share",
    "cumulative_gain",
    "random_gain",
]
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("experiment_id", "variation_id", "metric", "tried_half", "stratum")
    ]
    + [(name, pa.int64()) for name in ("phase", "step_rank", "unit_count")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric, half and stratum."""
    rows = arrays(read(dbt.ref("int_goal_halves_listed"), KEYS))
    return write(session, uplift_steps(rows, float(dbt.config.meta_get("alpha"))), SCHEMA)
