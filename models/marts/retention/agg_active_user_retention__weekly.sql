with

weeks as (

    select * from {{ ref('int_active_weeks_returned') }}

),

-- Mean of N shares s and its standard error with the person as the unit, from exact sums:
-- error^2 = (N sum s^2 - (sum s)^2) / (N^2 (N - 1)). It needs two people who differ.
measured as (

    select
        week_start_date,
        window_name,
        lag_days,
        active_user_count,
        active_day_count,
        returned_day_count,
        share_sum_420ths,
        {{ safe_divide('share_sum_420ths', '420 * active_user_count') }} as retention_rate,
        cast(active_user_count as decimal(18, 0)) * cast(share_square_sum as decimal(19, 0))
        - cast(share_sum_420ths as decimal(18, 0)) * cast(share_sum_420ths as decimal(19, 0)) as spread,
        cast(active_user_count as double) * active_user_count * (active_user_count - 1) * 420 * 420 as spread_unit
    from weeks

),

bounded as (

    select
        *,
        cast(1.959963984540054 as double) * sqrt({{ safe_divide('nullif(spread, 0)', 'spread_unit') }}) as reach
    from measured

)

select
    week_start_date,
    window_name,
    lag_days,

    active_user_count,
    active_day_count,
    returned_day_count,
    share_sum_420ths,
    retention_rate,
    case
        when reach is not null then greatest(retention_rate - reach, cast(0 as double))
    end as retention_rate_low,
    case
        when reach is not null then least(retention_rate + reach, cast(1 as double))
    end as retention_rate_high,

    active_user_count < {{ number_var('retention_small_cohort_size') }} as is_small,
    {{ is_final(add_days('week_start_date', '6 + lag_days')) }} as is_final
from bounded
