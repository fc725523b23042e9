select
    segment_dimension,
    segment_value,
    horizon_days,

    person_count,
    cohort_week_count,
    observed_days,
    daily_activity_rate,
    daily_leave_rate,
    leave_rate_spread,
    cast(value as decimal(18, 6)) as predicted_ltv_usd,
    cast(value_low as decimal(18, 6)) as predicted_ltv_low_usd,
    cast(value_high as decimal(18, 6)) as predicted_ltv_high_usd,
    cast(observed_value as decimal(18, 6)) as observed_ltv_usd,
    cast(value - observed_value as decimal(18, 6)) as projected_ltv_usd,
    active_days as projected_active_days,
    revenue_per_active_day as arpu_per_active_day,
    missing_reason,

    horizon_days > observed_days as is_projected,

    {{ as_of_date() }} as as_of_date
from {{ ref('py_value_forecasts') }}
