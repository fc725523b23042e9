"""How strict each rater is; published by agg_rater_biases."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quality_tables import rater_biases

KEYS = ["rater_id", "rater_kind", "other_rater_id", "other_rater_kind", "score", "other_score", "flag",
        "other_flag", "grade_count", "human_grade_count"]  # fmt: skip
SCHEMA = pa.schema(
    [("rater_id", pa.string()), ("reason", pa.string())]
    + [(name, pa.float64()) for name in ("bias", "bias_low", "bias_high", "adjusted_mean_score")]
)


def model(dbt, session):
    """One row per rater."""
    rows = read(dbt.ref("int_rating_pairs_counted"), KEYS)
    counts = read(dbt.ref("int_raters_counted"), ["rater_id"])
    found = rater_biases(arrays(rows), arrays(counts), float(dbt.config.meta_get("alpha")))
    return write(session, found, SCHEMA)
