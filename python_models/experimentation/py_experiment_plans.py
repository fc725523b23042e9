"""What experiments can see and what they would need; published by fct_experiment_power."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.plans import plans
from plumbline.statistics.readouts import rows

KEYS = ["experiment_id", "phase", "variation_id", "metric", "segment_key", "segment_value"]
NUMBERS = ["control_value", "control_deviation", "mde_relative", "needed_units_per_arm",
           "detectable_relative", "power"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "metric", "reason")]
    + [(name, pa.int64()) for name in ("phase", "control_unit_count", "treatment_unit_count")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment and metric."""
    cells = arrays(read(dbt.ref("int_result_rows_chosen"), KEYS))
    whole = rows(cells, cells["segment_key"] == "all")
    found = plans(whole, float(dbt.config.meta_get("alpha")), float(dbt.config.meta_get("power")))
    return write(session, found, SCHEMA)
