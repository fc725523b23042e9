"""Risk of churn of everybody active lately, with its reasons: published by fct_churn_scores."""

import pyarrow as pa

from plumbline.frames import arrays, numbers, read, texts, write
from plumbline.statistics.churn import People, Settings, deployed, score
from plumbline.statistics.churn_design import features_of

TEXTS = ["reason_1", "reason_2", "reason_3"]
NUMBERS = ["churn_probability", "log_odds", "base_log_odds", "contribution_log_odds", "risk_decile"]
SCHEMA = pa.schema(
    [("person_id", pa.string()), ("snapshot_date", pa.date32()), ("model_name", pa.string())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [(name, pa.string()) for name in (*TEXTS, "unscored_reason")]
    + [(f"{name}_log_odds", pa.float64()) for name in TEXTS]
)


def model(dbt, session):
    """One row per person of the snapshot that is scored."""
    rows = read(dbt.ref("int_churn_features_assembled"), ["person_id", "snapshot_date"])
    known = read(dbt.ref("driver_features"), ["feature"])
    found = read(dbt.ref("py_churn_findings"), ["section", "model_name", "name", "metric"])
    kind = deployed(texts(found, "model_name"), texts(found, "metric"), numbers(found, "value"))
    columns, purpose = arrays(rows), texts(rows, "purpose")
    features = features_of(*(texts(known, name) for name in ("feature", "driver", "transform")))
    people = People(columns, purpose, columns["is_churned"])
    scores = score(people, features, kind, Settings.of(dbt.config.meta_get("settings")))
    asked = rows.filter(pa.array(purpose == "score"))
    return write(session, {
        "person_id": asked["person_id"], "snapshot_date": asked["snapshot_date"],
        "model_name": [kind or "none"] * asked.num_rows,
        **dict(zip(NUMBERS, (scores.chance, scores.log_odds, scores.base, scores.contribution,
                             scores.decile), strict=True)),
        **{name: scores.reasons[:, place] for place, name in enumerate(TEXTS)},
        **{f"{name}_log_odds": scores.added[:, place] for place, name in enumerate(TEXTS)},
        "unscored_reason": scores.reason}, SCHEMA)  # fmt: skip
