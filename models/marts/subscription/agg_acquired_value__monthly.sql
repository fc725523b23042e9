select
    cohort_date as cohort_month_date,
    segment_dimension,
    segment_value,
    window_days,

    cohort_size,
    payer_count,
    subscriber_count as converted_user_count,
    due_count,
    renewed_count,
    cast(gross_usd - refunded_usd + ad_revenue_usd as decimal(18, 6)) as revenue_usd,
    {{ safe_divide('gross_usd - refunded_usd + ad_revenue_usd', 'cohort_size') }} as acquired_ltv,
    {{ safe_divide('payer_count', 'cohort_size') }} as acquired_payment_rate,
    {{ safe_divide('subscriber_count', 'cohort_size') }} as acquired_conversion_rate,
    {{ safe_divide('renewed_count', 'due_count') }} as acquired_renewal_rate,

    {{ is_final(add_days('cohort_last_date', 'window_days')) }} as is_final
from {{ ref('int_cohort_values_matured') }}
where cohort_grain = 'month' and segment_dimension in ('all', 'acquisition_workflow', 'acquisition_tag')
