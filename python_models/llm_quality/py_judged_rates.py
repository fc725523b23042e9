"""Hallucination rates corrected by human labels; published by agg_hallucinations__slices."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quality_tables import judged_rates

KEYS = ["slice_dimension", "slice_value"]
RATES = ("hallucination_rate", "corrected_rate", "rogan_gladen_rate")
VALUES = [f"{name}{end}" for name in RATES for end in ("", "_low", "_high")]
VALUES += ["judge_flag_rate", "judge_weight", "judge_sensitivity", "judge_specificity"]
SCHEMA = pa.schema([(key, pa.string()) for key in KEYS] + [(name, pa.float64()) for name in VALUES])


def model(dbt, session):
    """One row per slice."""
    rows = read(dbt.ref("int_grades_summed"), KEYS)
    found = judged_rates(
        arrays(rows),
        float(dbt.config.meta_get("alpha")),
        int(dbt.config.meta_get("minimum_labels")),
    )
    return write(session, {key: rows[key] for key in KEYS} | found, SCHEMA)
