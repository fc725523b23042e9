"""Effects by segment, as measured and drawn towards the common one; published by fct_segment_effects."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.plans import segment_effects

KEYS = ["experiment_id", "phase", "variation_id", "metric", "segment_key", "segment_value"]
NUMBERS = ["raw_effect", "shrunk_effect", "shrunk_low", "shrunk_high", "probability_better",
           "raw_probability_better", "common_effect", "effect_deviation",
           "heterogeneity_p_value"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in KEYS if name != "phase"]
    + [(name, pa.int64()) for name in ("phase", "control_unit_count", "treatment_unit_count")]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per experiment, phase, treatment, metric and segment."""
    return write(
        session, segment_effects(arrays(read(dbt.ref("int_result_rows_chosen"), KEYS))), SCHEMA
    )
