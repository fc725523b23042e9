"""What each creator is advised to do, week by week, with the plan of a test."""

import pyarrow as pa

from plumbline.frames import read, write_parts
from plumbline.scoring.tables import open_weeks, recommendation_rows, with_gains

TEXTS = ("creator_id", "iso_week", "kpi", "component", "action", "evidence_grade", "primary_metric")
REASONS = ("severity", "cause", "plan_reason", "stopping_rule", "reference_version")
NUMBERS = ("priority", "headroom", "confidence", "expected_gain", "effort_hours", "expected_value")
PLAN = ("baseline", "minimum_effect", "sample_size_per_arm")
SCHEMA = pa.schema(
    [
        ("recommendation_id", pa.string()),
        ("week_end_date", pa.date32()),
        *((name, pa.string()) for name in TEXTS + REASONS),
        *((name, pa.int64()) for name in ("place", "test_days")),
        *((name, pa.float64()) for name in NUMBERS + PLAN),
        ("is_feasible", pa.bool_()),
    ]
)


def model(dbt, session):
    """One row per recommendation."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    gains = read(dbt.ref("py_recommendation_gains"), keys=["week_end_date", "action"])
    return write_parts(session, map(recommendation_rows, with_gains(weeks, gains)), SCHEMA)
