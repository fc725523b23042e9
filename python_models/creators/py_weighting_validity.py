"""Rank validity of every weighting against the revenue that followed."""

import pyarrow as pa

from plumbline.frames import write
from plumbline.scoring.followup import Trial, validity_rows
from plumbline.scoring.tables import open_weeks

MEASURES = ("spearman_gain", "spearman", "ndcg", "top_precision")
SCHEMA = pa.schema(
    [
        ("week_end_date", pa.date32()),
        *((name, pa.string()) for name in ("weighting_kind", "weighting", "reference_version")),
        ("creator_count", pa.int64()),
        *((name + end, pa.float64()) for name in MEASURES for end in ("", "_low", "_high")),
    ]
)


def model(dbt, session):
    """One row per week end and weighting."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    trial = Trial(
        days=int(dbt.config.meta_get("days")),
        share=float(dbt.config.meta_get("share")),
        replicates=int(dbt.config.meta_get("replicates")),
        draws=int(dbt.config.meta_get("draws")),
        level=float(dbt.config.meta_get("level")),
        seed=int(dbt.config.meta_get("seed")),
    )
    return write(session, validity_rows(weeks, trial, SCHEMA.names), SCHEMA)
