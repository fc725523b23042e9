"""One status for every experiment, with the reasons; published by fct_experiment_decisions."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.verdicts import decisions

CELLS = ["experiment_id", "phase", "variation_id", "metric"]
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("experiment_id", "status", "reason_codes", "recommended_variation_id")
    ]
    + [(name, pa.int64()) for name in ("phase", "status_rank")]
    + [
        (name, pa.float64())
        for name in ("probability_best", "expected_loss", "loss_threshold", "days_left")
    ]
)


def model(dbt, session):
    """One row per experiment and phase."""
    cells = arrays(read(dbt.ref("int_decision_cells_assembled"), CELLS))
    health = arrays(read(dbt.ref("int_experiment_health_judged"), ["experiment_id", "phase"]))
    found = decisions(
        cells, health, dbt.config.meta_get("rules"), dbt.config.meta_get("thresholds")
    )
    return write(session, found, SCHEMA)
