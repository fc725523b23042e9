"""Indicators of every bot and score date, drawn towards their market, with intervals and percentiles."""

import numpy as np
import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.bot_scores import percentile_ranks, places, shrink

SCHEMA = pa.schema(
    [
        ("bot_id", pa.string()),
        ("score_date", pa.date32()),
        ("indicator", pa.string()),
        ("raw_value", pa.float64()),
        ("shrunk_value", pa.float64()),
        ("credible_low", pa.float64()),
        ("credible_high", pa.float64()),
        ("percentile", pa.float64()),
    ]
)
SUMS = ("unit_count", "squared_numerator", "cross_product", "squared_denominator")


def model(dbt, session):
    """One row per bot, score date and indicator."""
    rows = read(dbt.ref("int_bot_indicators_unpivoted"), keys=["score_date", "indicator", "bot_id"])
    group, _ = places(rows["score_date"].to_numpy(), texts(rows, "indicator"))
    found = shrink(
        group,
        np.asarray(rows["is_share"].to_numpy(zero_copy_only=False), dtype=bool),
        numbers(rows, "numerator_count"),
        numbers(rows, "denominator_count"),
        *(numbers(rows, name) for name in SUMS),
        level=float(dbt.config.meta_get("credible_level")),
    )
    percentile = percentile_ranks(group, found.mean)
    keys = {name: rows[name] for name in ("bot_id", "score_date", "indicator")}
    values = (found.raw, found.mean, found.low, found.high, percentile)
    return write(session, keys | dict(zip(SCHEMA.names[3:], values, strict=True)), SCHEMA)
