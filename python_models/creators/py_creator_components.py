"""Component scores of every creator at the latest week ends, with the issues among them."""

import pyarrow as pa

from plumbline.frames import write_parts
from plumbline.scoring.tables import component_rows, open_weeks

TEXTS = ("kpi", "component", "severity", "cause", "action", "reference_version")
NUMBERS = ("input_value", "sample_size", "kpi_weight", "component_weight", "score", "headroom")
PEERS = ("peer_p25", "peer_percentile", "impact")
SCHEMA = pa.schema(
    [
        ("creator_id", pa.string()),
        ("week_end_date", pa.date32()),
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.float64()) for name in NUMBERS + PEERS),
        ("is_issue", pa.bool_()),
    ]
)


def model(dbt, session):
    """One row per creator, week end, KPI and component."""
    weeks = open_weeks(
        dbt.ref("int_creator_inputs_measured"),
        dbt.ref("int_creator_assessments_dated"),
        dbt.ref("int_creator_references_listed"),
        int(dbt.config.meta_get("week_count")),
    )
    return write_parts(session, map(component_rows, weeks), SCHEMA)
