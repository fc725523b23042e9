"""Models of churn judged out of time, in long form: published by the marts agg_churn_*."""

import pyarrow as pa

from plumbline.frames import arrays, read, texts, write
from plumbline.statistics.churn import Judgement, People, Settings, evaluate
from plumbline.statistics.churn_design import features_of

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("section", "model_name", "name", "metric")]
    + [("value", pa.float64()), ("reason", pa.string())]
)


def model(dbt, session):
    """What was found about each model, calibration bin, feature and driver."""
    rows = read(dbt.ref("int_churn_features_assembled"), ["person_id", "snapshot_date"])
    known = read(dbt.ref("driver_features"), ["feature"])
    columns = arrays(rows)
    found = evaluate(
        People(columns, texts(rows, "purpose"), columns["is_churned"]),
        features_of(*(texts(known, name) for name in ("feature", "driver", "transform"))),
        Settings.of(dbt.config.meta_get("settings")),
        Judgement.of(dbt.config.meta_get("judgement")),
    )
    return write(session, found.columns(), SCHEMA)
