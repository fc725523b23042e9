"""What earlier experiments say about the size of effects; published by agg_effect_priors."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.verdicts import frozen_priors

KEYS = [
    "metric",
    "started_day",
    "finished_experiment_id",
    "finished_phase",
    "finished_variation_id",
]
SCHEMA = pa.schema(
    [
        ("metric", pa.string()),
        ("started_day", pa.int64()),
        ("effect_count", pa.int64()),
        ("is_fallback", pa.bool_()),
        ("real_share", pa.float64()),
        ("real_deviation", pa.float64()),
    ]
)


def model(dbt, session):
    """One row per metric and day on which a phase that is judged by it began."""
    found = frozen_priors(
        arrays(read(dbt.ref("int_finished_effects_paired"), KEYS)),
        minimum_effects=int(dbt.config.meta_get("minimum_effects")),
        fallback_share=float(dbt.config.meta_get("fallback_share")),
        fallback_deviation=float(dbt.config.meta_get("fallback_deviation")),
    )
    return write(session, found, SCHEMA)
