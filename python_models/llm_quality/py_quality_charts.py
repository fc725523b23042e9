"""Control charts of every metric and model version; published by agg_quality_charts__daily."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.control_charts import Rules
from plumbline.statistics.quality_tables import quality_charts

KEYS = ["metric", "model_version", "day_number"]
VALUES = ["daily_value", "base_value", "control_low", "control_high", "standardised_value", "cusum_high",
          "cusum_low", "ewma_value", "ewma_limit"]  # fmt: skip
CHARTS = ["shewhart", "cusum", "ewma"]
SCHEMA = pa.schema(
    [("metric", pa.string()), ("model_version", pa.string()), ("day_number", pa.int64())]
    + [(name, pa.float64()) for name in VALUES]
    + [(f"{name}_state", pa.string()) for name in CHARTS]
    + [(f"is_new_{name}_signal", pa.bool_()) for name in CHARTS]
)


def model(dbt, session):
    """One row per metric, model version and day."""
    rows = read(dbt.ref("int_quality_days_charted"), KEYS)
    rules = Rules(
        slack=float(dbt.config.meta_get("slack")),
        limit=float(dbt.config.meta_get("limit")),
        weight=float(dbt.config.meta_get("weight")),
        width=float(dbt.config.meta_get("width")),
        guard=float(dbt.config.meta_get("guard")),
    )
    return write(
        session, {key: rows[key] for key in KEYS} | quality_charts(arrays(rows), rules), SCHEMA
    )
