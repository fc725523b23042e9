"""Do arms hold the shares that were planned, in all and by segment; published by agg_experiment_health."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.splits import split_checks

KEYS = ["experiment_id", "phase", "segment_key", "segment_value", "variation_id"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "segment_key", "segment_value", "reason")]
    + [(name, pa.int64()) for name in ("phase", "unit_count", "leaked_count")]
    + [
        (name, pa.float64())
        for name in ("chi_square", "p_value", "adjusted_p_value", "log_e_value")
    ]
)


def model(dbt, session):
    """One row per experiment, phase and segment."""
    arms = arrays(read(dbt.ref("int_experiment_arms_counted"), KEYS))
    return write(session, split_checks(arms, float(dbt.config.meta_get("concentration"))), SCHEMA)
