"""Inputs that cannot be: left out of the scores and listed."""

import pyarrow as pa

from plumbline.frames import write_parts
from plumbline.scoring.tables import open_weeks, rejected_rows

SCHEMA = pa.schema(
    [
        ("creator_id", pa.string()),
        ("week_end_date", pa.date32()),
        ("field", pa.string()),
        ("input_value", pa.float64()),
        ("min_value", pa.float64()),
        ("max_value", pa.float64()),
        ("reference_version", pa.string()),
    ]
)


def model(dbt, session):
    """One row per creator, week end and impossible input."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    return write_parts(session, map(rejected_rows, weeks), SCHEMA)
