"""Do experiments that share units disturb each other; published by agg_experiment_interactions."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.interactions import interactions

KEYS = ["experiment_id", "phase", "variation_id", "other_experiment_id", "other_phase",
        "other_variation_id"]  # fmt: skip
COUNTS = ["phase", "other_phase", "neither_unit_count", "other_unit_count", "treated_unit_count",
          "both_unit_count"]  # fmt: skip
NUMBERS = ["effect_without_other", "effect_beside_other", "interaction", "standard_error", "interaction_low",
           "interaction_high", "p_value", "adjusted_p_value"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in KEYS if name not in COUNTS]
    + [("metric", pa.string()), ("reason", pa.string())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
)


def model(dbt, session):
    """One row per treatment and treatment of another experiment that shares units with it."""
    cells = arrays(read(dbt.ref("int_experiment_pairs_crossed"), KEYS))
    alpha, smallest = (
        float(dbt.config.meta_get("alpha")),
        int(dbt.config.meta_get("smallest_group")),
    )
    return write(session, interactions(cells, alpha, smallest), SCHEMA)
