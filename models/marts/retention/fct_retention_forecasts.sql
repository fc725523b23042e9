select
    subject,
    segment_value,
    origin_date,
    steps_ahead,

    fitted_customer_count,
    customer_count,
    cast(expected_kept as decimal(18, 6)) as expected_kept_people,
    cast(p025 as decimal(18, 6)) as p025,
    cast(p10 as decimal(18, 6)) as p10,
    cast(p90 as decimal(18, 6)) as p90,
    cast(p975 as decimal(18, 6)) as p975,
    {{ safe_divide('cast(expected_kept as decimal(18, 6))', 'customer_count') }} as expected_kept_rate,
    missing_reason
from {{ ref('py_retention_forecasts') }}
where origin_date = {{ as_of_date() }}
