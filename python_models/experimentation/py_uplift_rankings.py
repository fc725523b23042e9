"""Does it pay to treat some units first; published by fct_uplift_rankings."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.uplift import uplift_rankings

KEYS = ["experiment_id", "phase", "variation_id", "metric", "segment_value"]
NUMBERS = ["qini", "qini_low", "qini_high", "p_value"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "metric", "reason")]
    + [(name, pa.int64()) for name in ("phase", "stratum_count", "unit_count")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric."""
    rows = arrays(read(dbt.ref("int_goal_halves_listed"), KEYS))
    return write(session, uplift_rankings(rows, float(dbt.config.meta_get("alpha"))), SCHEMA)
