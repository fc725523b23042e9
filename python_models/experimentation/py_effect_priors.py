"""What earlier experiments say about the size of effects; published by agg_effect_priors."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.verdicts import frozen_priors

KEYS = ["experiment_id", "phase", "metric", "finished_experiment_id", "finished_phase",
        "finished_variation_id"]  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("experiment_id", "metric")]
    + [(name, pa.int64()) for name in ("phase", "effect_count")]
    + [("is_fallback", pa.bool_()), ("real_share", pa.float64()), ("real_deviation", pa.float64())]
)


def model(dbt, session):
    """One row per experiment, phase and metric."""
    found = frozen_priors(
        arrays(read(dbt.ref("int_finished_effects_paired"), KEYS)),
        minimum_effects=int(dbt.config.meta_get("minimum_effects")),
        fallback_share=float(dbt.config.meta_get("fallback_share")),
        fallback_deviation=float(dbt.config.meta_get("fallback_deviation")),
    )
    return write(session, found, SCHEMA)
