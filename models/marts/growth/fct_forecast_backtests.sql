select
    metric,
    origin_date,
    target_date,
    horizon_days,

    cast(actual_value as decimal(18, 6)) as actual_value,
    cast(p025 as decimal(18, 6)) as p025,
    cast(p10 as decimal(18, 6)) as p10,
    cast(p50 as decimal(18, 6)) as p50,
    cast(p90 as decimal(18, 6)) as p90,
    cast(p975 as decimal(18, 6)) as p975,
    cast(naive_value as decimal(18, 6)) as naive_value,
    cast(naive_scale as decimal(18, 6)) as naive_scale,
    model,

    is_gaussian_80,
    is_gaussian_95,
    cast(actual_value as decimal(18, 6)) between cast(p10 as decimal(18, 6)) and cast(p90 as decimal(18, 6))
        as is_covered_80,
    cast(actual_value as decimal(18, 6)) between cast(p025 as decimal(18, 6)) and cast(p975 as decimal(18, 6))
        as is_covered_95
from {{ ref('py_forecasts') }}
where actual_value is not null
