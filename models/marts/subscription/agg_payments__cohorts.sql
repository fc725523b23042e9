select
    cohort_grain,
    cohort_date,
    segment_dimension,
    segment_value,
    window_days,

    cohort_size,
    payer_count,
    order_count,
    cast(gross_usd - refunded_usd as decimal(18, 6)) as paid_net_usd,
    {{ safe_divide('payer_count', 'cohort_size') }} as new_user_payment_rate,
    {{ safe_divide('gross_usd - refunded_usd', 'order_count') }} as new_user_average_order_value,
    {{ safe_divide('gross_usd - refunded_usd', 'payer_count') }} as new_user_arppu,

    {{ is_final(add_days('cohort_last_date', 'window_days')) }} as is_final
from {{ ref('int_cohort_values_matured') }}
where segment_dimension not in ('acquisition_workflow', 'acquisition_tag')
