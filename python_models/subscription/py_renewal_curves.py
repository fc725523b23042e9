"""Renewal curve of each plan, observed and fitted: computed here, published by agg_renewal_curves."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import renewal_curve_table

COUNTS = ("renewal_number", "at_risk_count", "lost_count")
RATES = (
    "observed_survival_rate", "observed_survival_low", "observed_survival_high",
    "fitted_survival_rate", "fitted_survival_low", "fitted_survival_high",
    "fitted_renewal_rate", "fitted_renewal_low", "fitted_renewal_high",
)  # fmt: skip
SCHEMA = pa.schema(
    [("plan_id", pa.string())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in RATES]
    + [("missing_reason", pa.string())]
)


def model(dbt, session):
    """Kaplan-Meier beside the shifted beta-geometric model, and that model further on."""
    rows = read(
        dbt.ref("int_subscription_survivors"), ["plan_id", "cohort_month_date", "period_number"]
    )
    columns = renewal_curve_table(
        texts(rows, "plan_id"),
        rows["cohort_month_date"].to_pylist(),
        *(numbers(rows, name) for name in ("period_number", "survivor_count", "lost_count")),
        periods_ahead=int(dbt.config.meta_get("periods_ahead")),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
