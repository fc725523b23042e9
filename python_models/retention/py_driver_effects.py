"""Naive and adjusted effects on retention, time, conversion and churn: for agg_retention_drivers."""

import pyarrow as pa
import pyarrow.compute as pc

from plumbline.frames import arrays, read, texts, write
from plumbline.statistics.churn_design import features_of
from plumbline.statistics.drivers import effects

KINDS = {"is_active_on_day_7": "odds_ratio", "is_active_on_last_day": "odds_ratio",
         "later_engaged_minutes": "difference", "is_converted": "odds_ratio"}  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("outcome", "feature", "driver", "level", "effect_kind", "reason")]
    + [("person_count", pa.int64())]
    + [(name, pa.float64()) for name in ("outcome_total", "naive", "naive_low", "naive_high", "adjusted",
                                         "adjusted_low", "adjusted_high", "contribution")]
)  # fmt: skip


def model(dbt, session):
    """One row per outcome, feature and level."""
    newcomers = arrays(read(dbt.ref("int_driver_newcomers_assembled"), ["person_id"]))
    rows = read(dbt.ref("int_churn_features_assembled"), ["person_id", "snapshot_date"])
    people = arrays(rows.filter(pc.equal(rows["purpose"], "test")))
    known = read(dbt.ref("driver_features"), ["feature"])
    known = known.filter(known["is_effect"])
    features = features_of(*(texts(known, name) for name in ("feature", "driver", "transform")))
    settings = dbt.config.meta_get("settings")
    outcomes = {name: (kind, newcomers[name]) for name, kind in KINDS.items()}
    churned = {"is_churned": ("odds_ratio", people["is_churned"])}
    found = effects(newcomers, features, outcomes, **settings)
    found = found.join(effects(people, features, churned, **settings))
    return write(session, found.columns(), SCHEMA)
