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
        {{ day_diff('min(backtests.origin_date)', 'max(backtests.target_date)') }} as span_days,
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

),

-- Forecasts of neighbouring days make the same error, so coverage is measured only on as many as fit one after the
-- other. Of fewer than three, or where most intervals stand on the normal distribution, nothing is promised.
promised as (

    select
        *,
        cast(floor({{ safe_divide('span_days', 'horizon_days') }}) as bigint) as separate_forecast_count,
        case
            when span_days < 3 * horizon_days or 2 * gaussian_80_count > forecast_count then 'too_few_forecasts'
            when 100 * covered_80_count < 72 * forecast_count or 100 * covered_95_count < 90 * forecast_count
                then 'too_narrow'
            when 100 * covered_80_count > 88 * forecast_count then 'too_wide'
            else 'as_promised'
        end as interval_verdict
    from summed

)

select
    metrics.metric,
    horizons.horizon_days,

    coalesce(promised.origin_count, 0) as origin_count,
    coalesce(promised.separate_forecast_count, 0) as separate_forecast_count,
    coalesce(promised.forecast_count, 0) as forecast_count,
    cast(promised.absolute_error_sum as decimal(28, 6)) as absolute_error_sum,
    cast(promised.naive_absolute_error_sum as decimal(28, 6)) as naive_absolute_error_sum,
    cast(promised.naive_scale_sum as decimal(28, 6)) as naive_scale_sum,
    cast(promised.error_sum as decimal(28, 6)) as error_sum,
    cast(promised.actual_sum as decimal(28, 6)) as actual_sum,
    {{ safe_divide('promised.absolute_error_sum', 'promised.naive_scale_sum') }} as mase,
    {{ safe_divide('promised.naive_absolute_error_sum', 'promised.naive_scale_sum') }} as naive_mase,
    {{ safe_divide('promised.absolute_error_sum', 'promised.naive_absolute_error_sum') }} as error_to_naive_ratio,
    {{ safe_divide('promised.error_sum', 'promised.actual_sum') }} as bias_share,
    coalesce(promised.covered_80_count, 0) as covered_80_count,
    coalesce(promised.covered_95_count, 0) as covered_95_count,
    {{ safe_divide('promised.covered_80_count', 'promised.forecast_count') }} as coverage_80_rate,
    {{ safe_divide('promised.covered_95_count', 'promised.forecast_count') }} as coverage_95_rate,
    cast(promised.winkler_80_sum as decimal(28, 6)) as winkler_80_sum,
    cast(promised.winkler_95_sum as decimal(28, 6)) as winkler_95_sum,
    {{ safe_divide('promised.winkler_80_sum', 'promised.forecast_count') }} as winkler_80_mean,
    {{ safe_divide('promised.winkler_95_sum', 'promised.forecast_count') }} as winkler_95_mean,
    coalesce(promised.gaussian_80_count, 0) as gaussian_80_count,
    coalesce(promised.gaussian_95_count, 0) as gaussian_95_count,
    case
        when metrics.missing_reason is not null then metrics.missing_reason
        when promised.metric is null then 'no_backtest'
        when promised.absolute_error_sum >= promised.naive_absolute_error_sum then 'no_better_than_seasonal_naive'
        else 'better_than_seasonal_naive'
    end as verdict,
    coalesce(metrics.missing_reason, promised.interval_verdict, 'no_backtest') as interval_verdict,

    promised.absolute_error_sum < promised.naive_absolute_error_sum as is_better_than_naive,
    case when promised.interval_verdict <> 'too_few_forecasts' then promised.interval_verdict = 'as_promised' end
        as is_calibrated
from metrics
cross join horizons
left join promised on metrics.metric = promised.metric and horizons.horizon_days = promised.horizon_days
