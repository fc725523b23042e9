"""Every metric of every treatment, in all, by segment and by view; published by fct_experiment_results."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.readouts import results

KEYS = [
    "experiment_id",
    "phase",
    "variation_id",
    "metric",
    "segment_key",
    "segment_value",
    "cohort",
]
TEXTS = ["experiment_id", "variation_id", "control_variation_id", "metric", "segment_key", "segment_value",
         "cohort", "kind", "role", "method", "relative_method", "direction", "adjustment", "reason",
         "relative_reason"]  # fmt: skip
NUMBERS = ["control_numerator", "control_denominator", "treatment_numerator", "treatment_denominator",
           "control_value", "treatment_value", "control_standard_error", "treatment_standard_error",
           "difference", "standard_error", "difference_low", "difference_high", "relative_difference",
           "relative_low", "relative_high", "log_ratio", "log_ratio_error", "p_value", "p_value_log10",
           "adjusted_p_value",
           "probability_better", "loss_if_shipped", "loss_if_kept", "credible_low", "credible_high",
           "variance_reduction"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in TEXTS]
    + [(name, pa.int64()) for name in ("phase", "control_unit_count", "treatment_unit_count")]
    + [(name, pa.bool_()) for name in ("is_primary", "is_clt_weak")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment, metric, segment, cohort and view."""
    cells = arrays(read(dbt.ref("int_experiment_cells_paired"), KEYS))
    return write(session, results(cells, float(dbt.config.meta_get("alpha"))), SCHEMA)
