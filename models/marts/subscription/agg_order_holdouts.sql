select
    order_kind,

    buyer_count,
    order_days_count,
    predicted_orders,
    predicted_orders_low,
    predicted_orders_high,
    predicted_orders - order_days_count as prediction_error,
    {{ safe_divide('predicted_orders', 'order_days_count') }} as predicted_per_observed,
    cast(value as decimal(18, 6)) as gross_usd,
    cast(predicted_value as decimal(18, 6)) as predicted_gross_usd,
    {{ safe_divide('predicted_value', 'value') }} as predicted_gross_per_observed,
    simpler_order_model,
    missing_reason,

    is_covered
from {{ ref('py_order_holdouts') }}
