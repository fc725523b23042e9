"""People who are alike: stable groups by recency, frequency and engagement, or one group with the reason."""

import pyarrow as pa

from plumbline.frames import numbers, read, write
from plumbline.statistics.clusters import Choice, cluster_features

FEATURES = (  # and whether they are skewed; the first one numbers the groups
    ("active_days", False),
    ("recency_days", True),
    ("new_message_count", True),
    ("feature_use_count", True),
    ("session_ms", True),
)
SCHEMA = pa.schema(
    [
        ("person_id", pa.string()),
        ("cluster_number", pa.int64()),
        ("silhouette", pa.float64()),
        ("cluster_count", pa.int64()),
        ("mean_silhouette", pa.float64()),
        ("stability", pa.float64()),
        ("cluster_reason", pa.string()),
    ]
)


def model(dbt, session):
    """One row per person ever active."""
    rows = read(dbt.ref("int_person_features_identified"), keys=["person_id"])
    choice = Choice(
        largest=dbt.config.meta_get("largest"),
        least_stability=dbt.config.meta_get("least_stability"),
        bootstraps=dbt.config.meta_get("bootstraps"),
        most_rows=dbt.config.meta_get("most_rows"),
        seed=dbt.config.meta_get("seed"),
    )
    found = cluster_features([(numbers(rows, name), skewed) for name, skewed in FEATURES], choice)
    return write(session, {"person_id": rows["person_id"]} | found.columns(), SCHEMA)
