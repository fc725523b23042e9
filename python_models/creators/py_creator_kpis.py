"""KPI scores of every creator and week end."""

import pyarrow as pa

from plumbline.frames import write_parts
from plumbline.scoring.tables import kpi_rows, open_weeks

SCHEMA = pa.schema(
    [
        ("creator_id", pa.string()),
        ("week_end_date", pa.date32()),
        ("kpi", pa.string()),
        ("tier", pa.int64()),
        ("weight", pa.float64()),
        ("score", pa.float64()),
        ("coverage_rate", pa.float64()),
        ("level", pa.string()),
        ("headroom", pa.float64()),
        ("peer_percentile", pa.float64()),
        ("bottleneck_rank", pa.int64()),
        ("reference_version", pa.string()),
    ]
)


def model(dbt, session):
    """One row per creator, week end and KPI."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
    )
    return write_parts(session, map(kpi_rows, weeks), SCHEMA)
