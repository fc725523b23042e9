select
    cohort_grain,
    cohort_date,
    segment_dimension,
    segment_value,
    window_days,

    cohort_size,
    gross_usd,
    refunded_usd,
    ad_revenue_usd,
    store_fee_usd,
    llm_cost_usd,
    cast(gross_usd + ad_revenue_usd as decimal(18, 6)) as revenue_before_refunds_usd,
    cast(gross_usd - refunded_usd + ad_revenue_usd as decimal(18, 6)) as revenue_usd,
    cast(gross_usd - refunded_usd + ad_revenue_usd - store_fee_usd - llm_cost_usd as decimal(18, 6))
        as contribution_margin_usd,
    {{ safe_divide('gross_usd - refunded_usd + ad_revenue_usd', 'cohort_size') }} as ltv,
    {{ safe_divide('gross_usd - refunded_usd + ad_revenue_usd - store_fee_usd - llm_cost_usd', 'cohort_size') }}
        as margin_ltv,

    {{ is_final(add_days('cohort_last_date', 'window_days')) }} as is_final
from {{ ref('int_cohort_values_matured') }}
where segment_dimension not in ('acquisition_workflow', 'acquisition_tag')
