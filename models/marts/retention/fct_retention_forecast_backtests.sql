select
    subject,
    segment_value,
    origin_date,
    steps_ahead,

    fitted_customer_count,
    customer_count,
    kept_count,
    cast(expected_kept as decimal(18, 6)) as expected_kept_people,
    cast(p025 as decimal(18, 6)) as p025,
    cast(p10 as decimal(18, 6)) as p10,
    cast(p90 as decimal(18, 6)) as p90,
    cast(p975 as decimal(18, 6)) as p975,
    {{ safe_divide('kept_count', 'customer_count') }} as kept_rate,
    missing_reason,

    kept_count between cast(p10 as decimal(18, 6)) and cast(p90 as decimal(18, 6)) as is_covered_80,
    kept_count between cast(p025 as decimal(18, 6)) and cast(p975 as decimal(18, 6)) as is_covered_95
from {{ ref('py_retention_forecasts') }}
where kept_count is not null
