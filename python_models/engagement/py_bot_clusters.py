"""Bots that are alike: stable groups by size and shrunk indicators, or one group with the reason."""

import pyarrow as pa

from plumbline.frames import numbers, read, write
from plumbline.statistics.clusters import Choice, cluster_features

FEATURES = (  # and whether they are skewed; the first one numbers the groups
    ("view_count", True),
    ("click_through", False),
    ("chat_start", False),
    ("depth_per_user_day", True),
    ("depth_per_user", True),
    ("stickiness", True),
)
SCHEMA = pa.schema(
    [
        ("bot_id", pa.string()),
        ("cluster_number", pa.int64()),
        ("silhouette", pa.float64()),
        ("cluster_count", pa.int64()),
        ("mean_silhouette", pa.float64()),
        ("stability", pa.float64()),
        ("cluster_reason", pa.string()),
    ]
)


def model(dbt, session):
    """One row per bot that people met within the trailing window."""
    rows = read(dbt.ref("int_bot_features_gathered"), keys=["bot_id"])
    choice = Choice(
        largest=dbt.config.meta_get("largest"),
        least_stability=dbt.config.meta_get("least_stability"),
        bootstraps=dbt.config.meta_get("bootstraps"),
        most_rows=dbt.config.meta_get("most_rows"),
        seed=dbt.config.meta_get("seed"),
    )
    found = cluster_features([(numbers(rows, name), skewed) for name, skewed in FEATURES], choice)
    return write(session, {"bot_id": rows["bot_id"]} | found.columns(), SCHEMA)
