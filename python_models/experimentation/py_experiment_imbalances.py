"""Were the arms alike before they were exposed, measure by measure; published by agg_experiment_balance."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.splits import imbalances

KEYS = ["experiment_id", "phase", "variation_id", "measure"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "variation_id", "measure", "reason")]
    + [(name, pa.int64()) for name in ("phase", "control_unit_count", "treatment_unit_count")]
    + [(name, pa.float64()) for name in ("control_mean", "treatment_mean",
                                         "standardised_difference", "p_value")]
)  # fmt: skip


def model(dbt, session):
    """One row per experiment, phase, treatment and measure."""
    cells = arrays(read(dbt.ref("int_experiment_covariates_paired"), KEYS))
    return write(session, imbalances(cells, float(dbt.config.meta_get("alpha"))), SCHEMA)
