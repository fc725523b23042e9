"""What became of every recommendation that was carried out, against creators who did nothing."""

import pyarrow as pa

from plumbline.frames import read, write
from plumbline.scoring.followup import FollowUp
from plumbline.scoring.tables import open_weeks

TEXTS = ("action_id", "creator_id", "recommendation_id", "kpi", "component", "action")
STATES = ("primary_metric", "metric_direction", "status")
DATES = ("implemented_date", "before_week_end_date", "after_week_end_date")
NUMBERS = ("metric_before", "metric_after", "expected_after", "effect", "effect_low", "effect_high")
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in TEXTS + STATES),
        *((name, pa.date32()) for name in DATES),
        ("control_count", pa.int64()),
        *((name, pa.float64()) for name in NUMBERS),
    ]
)


def model(dbt, session):
    """One row per recommendation that was carried out."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    done = read(dbt.ref("int_recommendation_actions_dated"), keys=["action_id"])
    days, level = dbt.config.meta_get("window_days"), dbt.config.meta_get("interval_level")
    outcomes = FollowUp(weeks, done, int(days), float(level)).outcome_rows()
    return write(session, outcomes, SCHEMA)
