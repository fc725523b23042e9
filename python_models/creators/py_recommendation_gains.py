"""What each entry of the catalogue is expected to bring, week by week, as outcomes come in."""

import pyarrow as pa

from plumbline.frames import read, write
from plumbline.scoring.followup import FollowUp
from plumbline.scoring.tables import open_weeks

TEXTS = ("action", "catalogue_grade", "evidence_grade", "reference_version")
MEASURED = ("measured_gain", "measured_gain_error", "measured_gain_low", "measured_gain_high")
EXPECTED = ("catalogue_gain", "expected_gain", "measured_share")
SCHEMA = pa.schema(
    [
        ("week_end_date", pa.date32()),
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.int64()) for name in ("action_count", "control_count")),
        *((name, pa.float64()) for name in MEASURED + EXPECTED),
    ]
)


def model(dbt, session):
    """One row per week end and entry of the catalogue."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    done = read(dbt.ref("int_recommendation_actions_dated"), keys=["action_id"])
    days, level = dbt.config.meta_get("window_days"), dbt.config.meta_get("interval_level")
    spread = dbt.config.meta_get("gain_spread")
    gains = FollowUp(weeks, done, int(days), float(level)).gain_rows(float(spread), SCHEMA.names)
    return write(session, gains, SCHEMA)
