with

horizons as (

    select cast(28 as bigint) as horizon_days
    union all
    select cast(90 as bigint) as horizon_days

),

metrics as (

    select
        metric,
        max(missing_reason) as missing_reason
    from {{ ref('py_forecasts') }}
    group by metric

),

backtests as (

    select * from {{ ref('fct_forecast_backtests') }}

),

-- What was published beside what came: exact sums of what the back-test shows, so anyone can add them up again.
summed as (

    select
        backtests.metric,
        horizons.horizon_days,
        count(*) as forecast_count,
        count(distinct backtests.origin_date) as origin_count,
        sum(abs(backtests.p50 - backtests.actual_value)) as absolute_error_sum,
        sum(abs(backtests.naive_value - backtests.actual_value)) as naive_absolute_error_sum,
        sum(backtests.naive_scale) as naive_scale_sum,
        sum(backtests.p50 - backtests.actual_value) as error_sum,
        sum(backtests.actual_value) as actual_sum,
        count(case when backtests.is_covered_80 then 1 end) as covered_80_count,
        count(case when backtests.is_covered_95 then 1 end) as covered_95_count,
        count(case when backtests.is_gaussian_80 then 1 end) as gaussian_80_count,
        count(case when backtests.is_gaussian_95 then 1 end) as gaussian_95_count,
        -- Width, and ten times (of 95 %: forty times) what lies outside: Gneiting and Raftery 2007.
        sum(
            backtests.p90 - backtests.p10
            + 10 * greatest(backtests.p10 - backtests.actual_value, backtests.actual_value - backtests.p90, 0)
        ) as winkler_80_sum,
        sum(
            backtests.p975 - backtests.p025
            + 40 * greatest(backtests.p025 - backtests.actual_value, backtests.actual_value - backtests.p975, 0)
        ) as winkler_95_sum
    from backtests
    inner join horizons on backtests.horizon_days <= horizons.horizon_days
    group by backtests.metric, horizons.horizon_days

)

select
    metrics.metric,
    horizons.horizon_days,

    coalesce(summed.origin_count, 0) as origin_count,
    coalesce(summed.forecast_count, 0) as forecast_count,
    cast(summed.absolute_error_sum as decimal(28, 6)) as absolute_error_sum,
    cast(summed.naive_absolute_error_sum as decimal(28, 6)) as naive_absolute_error_sum,
    cast(summed.naive_scale_sum as decimal(28, 6)) as naive_scale_sum,
    cast(summed.error_sum as decimal(28, 6)) as error_sum,
    cast(summed.actual_sum as decimal(28, 6)) as actual_sum,
    {{ safe_divide('summed.absolute_error_sum', 'summed.naive_scale_sum') }} as mase,
    {{ safe_divide('summed.naive_absolute_error_sum', 'summed.naive_scale_sum') }} as naive_mase,
    {{ safe_divide('summed.absolute_error_sum', 'summed.naive_absolute_error_sum') }} as error_to_naive_ratio,
    {{ safe_divide('summed.error_sum', 'summed.actual_sum') }} as bias_share,
    coalesce(summed.covered_80_count, 0) as covered_80_count,
    coalesce(summed.covered_95_count, 0) as covered_95_count,
    {{ safe_divide('summed.covered_80_count', 'summed.forecast_count') }} as coverage_80_rate,
    {{ safe_divide('summed.covered_95_count', 'summed.forecast_count') }} as coverage_95_rate,
    cast(summed.winkler_80_sum as decimal(28, 6)) as winkler_80_sum,
    cast(summed.winkler_95_sum as decimal(28, 6)) as winkler_95_sum,
    {{ safe_divide('summed.winkler_80_sum', 'summed.forecast_count') }} as winkler_80_mean,
    {{ safe_divide('summed.winkler_95_sum', 'summed.forecast_count') }} as winkler_95_mean,
    coalesce(summed.gaussian_80_count, 0) as gaussian_80_count,
    coalesce(summed.gaussian_95_count, 0) as gaussian_95_count,
    case
        when metrics.missing_reason is not null then metrics.missing_reason
        when summed.metric is null then 'no_backtest'
        when summed.absolute_error_sum >= summed.naive_absolute_error_sum then 'no_better_than_seasonal_naive'
        else 'better_than_seasonal_naive'
    end as verdict,

    summed.absolute_error_sum < summed.naive_absolute_error_sum as is_better_than_naive
from metrics
cross join horizons
left join summed on metrics.metric = summed.metric and horizons.horizon_days = summed.horizon_days
