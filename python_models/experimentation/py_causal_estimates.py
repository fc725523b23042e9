"""What each method says about each question; published by fct_causal_estimates."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quasi_experiments import ANSWER_COLUMNS, answers

TEXTS = ("question", "reading", "method", "reason")
SCHEMA = pa.schema(
    [
        (
            name,
            pa.string()
            if name in TEXTS
            else pa.int64()
            if name.endswith("_count")
            else pa.float64(),
        )
        for name in ANSWER_COLUMNS
    ]
)
STRATA = ["question", "reading", "stratum", "is_treated"]
PANELS = ["question", "cohort_day", "adoption_day", "is_treated", "first_week", "second_week"]


def model(dbt, session):
    """One row per question, reading and method."""
    found = answers(
        arrays(read(dbt.ref("int_causal_strata_summed"), STRATA)),
        arrays(read(dbt.ref("int_causal_panels_summed"), PANELS)),
        confidence=float(dbt.config.meta_get("confidence")),
        minimum_people=int(dbt.config.meta_get("minimum_people")),
    )
    return write(session, found, SCHEMA)
