"""Overall and tier scores of every creator and week end."""

import pyarrow as pa

from plumbline.frames import write_parts
from plumbline.scoring.tables import open_weeks, overall_and_tier_rows

SCHEMA = pa.schema(
    [
        ("creator_id", pa.string()),
        ("week_end_date", pa.date32()),
        ("tier", pa.int64()),
        ("size_band", pa.string()),
        ("weight", pa.float64()),
        ("score", pa.float64()),
        ("coverage_rate", pa.float64()),
        ("level", pa.string()),
        ("equal_weight_score", pa.float64()),
        ("weighting_effect", pa.float64()),
        ("revenue_focus", pa.float64()),
        ("peer_percentile", pa.float64()),
        ("issue_count", pa.int64()),
        ("reference_version", pa.string()),
    ]
)


def model(dbt, session):
    """One row per creator, week end and tier; tier 0 is the overall score."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    return write_parts(session, map(overall_and_tier_rows, weeks), SCHEMA)
