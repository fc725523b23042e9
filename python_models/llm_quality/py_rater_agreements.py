"""How far raters agree beyond chance; published by agg_rater_agreements."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quality_tables import rater_agreements

KEYS = ["rater_id", "rater_kind", "other_rater_id", "other_rater_kind", "score", "other_score", "flag",
        "other_flag", "grade_count", "human_grade_count"]  # fmt: skip
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("subject", "statistic", "rater_id", "other_rater_id", "reason")
    ]
    + [("pair_count", pa.int64())]
    + [(name, pa.float64()) for name in ("agreement_rate", "value", "value_low", "value_high")]
)


def model(dbt, session):
    """One row per subject, statistic and pair of raters or groups of them."""
    rows = read(dbt.ref("int_rating_pairs_counted"), KEYS)
    found = rater_agreements(arrays(rows), float(dbt.config.meta_get("alpha")))
    return write(session, found, SCHEMA)
