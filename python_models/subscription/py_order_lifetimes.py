"""What each buyer will order and pay: computed here, published by fct_lifetime_values__customers."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import order_lifetimes

NUMBERS = (
    "alive_rate", "alive_low", "alive_high", "expected_orders", "expected_orders_low",
    "expected_orders_high", "expected_spend_usd", "lifetime_value_usd", "lifetime_value_low_usd",
    "lifetime_value_high_usd", "order_rate_shape", "order_rate_scale_days", "dropout_a", "dropout_b",
    "order_log_likelihood", "spend_shape", "spend_scale_shape", "spend_scale",
    "spend_log_likelihood", "frequency_spend_correlation",
)  # fmt: skip
TEXTS = ("simpler_order_model", "simpler_spend_model", "missing_reason")
SCHEMA = pa.schema(
    [("person_key", pa.int64()), ("order_kind", pa.string())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [(name, pa.string()) for name in TEXTS]
)


def model(dbt, session):
    """BG/NBD and Gamma-Gamma of each kind of order, applied to each buyer."""
    keys = ["person_key", "order_kind"]
    rows = read(dbt.ref("int_order_customers"), keys)
    facts = ("repeat_days_count", "recency_days", "observed_days", "monetary_mean_usd")
    columns = {key: rows[key] for key in keys} | order_lifetimes(
        texts(rows, "order_kind"),
        *(numbers(rows, name) for name in facts),
        horizon_days=float(dbt.config.meta_get("horizon_days")),
        steps=int(dbt.config.meta_get("steps")),
        discount_rate=float(dbt.config.meta_get("discount_rate")),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
