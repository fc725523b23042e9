"""Score of every bot and score date: the weighted mean of the percentiles that were observed."""

import numpy as np
import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.bot_scores import places, weigh, weights_of

SCHEMA = pa.schema(
    [
        ("bot_id", pa.string()),
        ("score_date", pa.date32()),
        ("quality_score", pa.float64()),
        ("coverage_rate", pa.float64()),
        ("observed_indicator_count", pa.int64()),
    ]
)


def model(dbt, session):
    """One row per bot and score date."""
    rows = read(dbt.ref("py_bot_indicators"), keys=["score_date", "bot_id", "indicator"])
    weights = read(dbt.ref("bot_score_weights"), keys=["indicator"])
    group, count = places(rows["score_date"].to_numpy(), texts(rows, "bot_id"))
    row_weights = weights_of(
        texts(rows, "indicator"), texts(weights, "indicator"), numbers(weights, "weight")
    )
    found = weigh(group, count, numbers(rows, "percentile"), row_weights)
    first = np.unique(group, return_index=True)[1]
    columns = {
        "bot_id": rows["bot_id"].take(pa.array(first)),
        "score_date": rows["score_date"].take(pa.array(first)),
        "quality_score": found.score,
        "coverage_rate": found.coverage,
        "observed_indicator_count": found.observed,
    }
    return write(session, columns, SCHEMA)
