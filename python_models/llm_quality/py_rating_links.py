"""Ratings and what people did later, naive and adjusted; published by agg_rating_links."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quality_tables import link_columns

COUNTS = [f"{side}_{what}_count" for side in ("high", "low") for what in ("person", "success")]
VALUES = [
    f"{kind}_difference{end}" for kind in ("naive", "adjusted") for end in ("", "_low", "_high")
]
SCHEMA = pa.schema(
    [("outcome", pa.string()), ("reason", pa.string())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in [*VALUES, "compared_share", "e_value"]]
)


def model(dbt, session):
    """One row per outcome."""
    rows = read(dbt.ref("int_rating_links_counted"), ["outcome", "stratum", "is_high"])
    clip = (
        float(dbt.config.meta_get("lowest_propensity")),
        float(dbt.config.meta_get("highest_propensity")),
    )
    found = link_columns(arrays(rows), clip, float(dbt.config.meta_get("alpha")))
    return write(session, found, SCHEMA)
