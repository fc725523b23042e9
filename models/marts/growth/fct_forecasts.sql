with

forecasts as (

    select * from {{ ref('py_forecasts') }}

),

accuracy as (

    select * from {{ ref('agg_forecast_accuracy') }}

)

-- A forecast never stands without what its model was worth on days that have come.
select
    forecasts.metric,
    forecasts.origin_date,
    forecasts.target_date,
    forecasts.horizon_days,

    cast(forecasts.p025 as decimal(18, 6)) as p025,
    cast(forecasts.p10 as decimal(18, 6)) as p10,
    cast(forecasts.p50 as decimal(18, 6)) as p50,
    cast(forecasts.p90 as decimal(18, 6)) as p90,
    cast(forecasts.p975 as decimal(18, 6)) as p975,
    cast(forecasts.naive_value as decimal(18, 6)) as naive_value,
    cast(forecasts.structural_value as decimal(18, 6)) as structural_value,
    forecasts.model,
    accuracy.verdict,
    accuracy.interval_verdict,
    forecasts.missing_reason,

    forecasts.is_gaussian_80,
    forecasts.is_gaussian_95,
    accuracy.is_better_than_naive
from forecasts
inner join accuracy
    on forecasts.metric = accuracy.metric
    and accuracy.horizon_days = case when forecasts.horizon_days <= 28 then 28 else 90 end
where forecasts.origin_date = {{ as_of_date() }}
