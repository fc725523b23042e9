"""What each daily look at an experiment sees, valid however often one looks; for fct_experiment_sequences."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.verdicts import sequences

KEYS = ["experiment_id", "phase", "variation_id", "metric", "look_day"]
TEXTS = ["experiment_id", "variation_id", "control_variation_id", "metric", "kind", "role", "method",
         "direction"]  # fmt: skip
NUMBERS = ["control_value", "treatment_value", "difference", "difference_low", "difference_high",
           "relative_difference", "p_value", "anytime_low", "anytime_high", "anytime_relative_low",
           "anytime_relative_high", "anytime_p_value", "log_e_value"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in TEXTS]
    + [
        (name, pa.int64())
        for name in ("phase", "look_day", "control_unit_count", "treatment_unit_count")
    ]
    + [("is_primary", pa.bool_())]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment, metric and day on which windows closed."""
    looks = arrays(read(dbt.ref("int_experiment_looks_assembled"), KEYS))
    return write(session, sequences(looks, dbt.config.meta_get("rules")), SCHEMA)
