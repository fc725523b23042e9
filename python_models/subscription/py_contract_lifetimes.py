"""Lifetime of a customer of each plan: computed here, published by fct_lifetime_values__plans."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import contract_lifetimes

COUNTS = ("customer_count", "observed_renewals_count")
NUMBERS = (
    "first_churn_rate", "alpha", "beta", "log_alpha_error", "log_beta_error", "log_likelihood",
    "geometric_log_likelihood", "horizon_payments", "horizon_payments_low", "horizon_payments_high",
    "lifetime_payments", "lifetime_payments_low", "lifetime_payments_high",
)  # fmt: skip
SCHEMA = pa.schema(
    [("plan_id", pa.string())]
    + [(name, pa.int64()) for name in COUNTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("is_homogeneous", pa.bool_()), ("missing_reason", pa.string())]
)


def model(dbt, session):
    """Shifted beta-geometric fit of each plan."""
    rows = read(
        dbt.ref("int_subscription_survivors"), ["plan_id", "cohort_month_date", "period_number"]
    )
    plans = read(dbt.ref("int_plans_measured"), ["plan_id"])
    columns = contract_lifetimes(
        texts(rows, "plan_id"),
        rows["cohort_month_date"].to_pylist(),
        *(numbers(rows, name) for name in ("period_number", "survivor_count", "lost_count")),
        dict(zip(texts(plans, "plan_id"), numbers(plans, "period_days"), strict=True)),
        discount_rate=float(dbt.config.meta_get("discount_rate")),
        horizon_days=float(dbt.config.meta_get("horizon_days")),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
