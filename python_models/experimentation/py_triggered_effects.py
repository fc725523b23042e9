"""Effects on all units from those on triggered ones; published by fct_triggered_effects."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.breakdowns import triggered_effects

KEYS = ["experiment_id", "phase", "variation_id", "metric"]
NUMBERS = [
    "trigger_rate",
    "diluted_difference",
    "diluted_standard_error",
    "diluted_low",
    "diluted_high",
    "diluted_relative",
]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "metric", "reason")]
    + [(name, pa.int64()) for name in ("phase",)]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric."""
    rows = arrays(read(dbt.ref("int_triggered_effects_paired"), KEYS))
    return write(session, triggered_effects(rows, float(dbt.config.meta_get("alpha"))), SCHEMA)
