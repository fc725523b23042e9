"""Orders predicted at a past day beside what came after: published by agg_order_holdouts."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.lifetime_tables import order_hold_outs

NUMBERS = (
    "predicted_orders", "predicted_orders_low", "predicted_orders_high", "value", "predicted_value",
)  # fmt: skip
SCHEMA = pa.schema(
    [("order_kind", pa.string()), ("buyer_count", pa.int64()), ("order_days_count", pa.int64())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [("is_covered", pa.bool_())]
    + [(name, pa.string()) for name in ("simpler_order_model", "missing_reason")]
)


def model(dbt, session):
    """Fits on what was known, prediction of the rest, comparison."""
    rows = read(dbt.ref("int_order_customers_held_out"), ["person_key", "order_kind"])
    facts = ("repeat_days_count", "recency_days", "observed_days", "repeat_gross_usd")
    later = ("later_days_count", "later_gross_usd", "held_out_days")
    columns = order_hold_outs(
        texts(rows, "order_kind"),
        *(numbers(rows, name) for name in facts + later),
        minimum_customers=int(dbt.config.meta_get("minimum_customers")),
        level=float(dbt.config.meta_get("level")),
    )
    return write(session, columns, SCHEMA)
