select
    segment_dimension,
    segment_value,
    days_ahead,

    person_count,
    cohort_week_count,
    observed_days,
    cast(observed_revenue as decimal(18, 6)) as revenue_usd,
    cast(value as decimal(18, 6)) as predicted_revenue_usd,
    cast(value_low as decimal(18, 6)) as predicted_revenue_low_usd,
    cast(value_high as decimal(18, 6)) as predicted_revenue_high_usd,
    cast(value - observed_revenue as decimal(18, 6)) as prediction_error_usd,
    {{ safe_divide('cast(value as decimal(18, 6))', 'cast(observed_revenue as decimal(18, 6))') }}
        as predicted_revenue_per_observed,
    missing_reason,

    is_covered
from {{ ref('py_value_holdouts') }}
