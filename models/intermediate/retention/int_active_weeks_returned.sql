{{ config(materialized='table') }}

-- Each person active in a week weighs once, whatever the number of days: the share k / m of m <= 7 active days
-- that were followed by activity n days later. 420 k / m is whole for every m up to 7, so sums are exact.
with

-- n days are whole weeks and a rest: the days of a week, moved by the rest, lie in the fortnight that begins so
-- many weeks later.
windows as (

    select
        window_name,
        first_day as lag_days,
        first_day - first_day % 7 as week_days,
        cast(power(2, first_day % 7) as bigint) as move_factor
    from {{ ref('int_retention_windows_listed') }}
    where is_named and retention_kind = 'exact'

),

days as (

    select
        person_key,
        {{ add_days('activity_date', '1 - ' ~ iso_day_of_week('activity_date')) }} as week_start_date,
        cast(power(2, {{ iso_day_of_week('activity_date') }} - 1) as bigint) as day_bit
    from {{ ref('int_active_days_aged') }}

),

person_weeks as (

    select person_key, week_start_date, count(*) as active_day_count, bit_or(day_bit) as day_mask
    from days
    group by person_key, week_start_date

),

fortnights as (

    select person_key, week_start_date, bit_or(day_mask) as day_mask
    from (
        select person_key, week_start_date, day_mask from person_weeks
        union all
        select person_key, {{ add_days('week_start_date', -7) }}, day_mask * 128
        from person_weeks
    ) as halves
    group by person_key, week_start_date

),

-- People alike in active days and followed days are counted together: at most 35 kinds a week and lag.
returned as (

    select
        person_weeks.week_start_date,
        windows.window_name,
        person_weeks.active_day_count,
        bit_count((person_weeks.day_mask * windows.move_factor) & fortnights.day_mask) as returned_day_count,
        count(*) as person_count
    from person_weeks
    inner join fortnights on person_weeks.person_key = fortnights.person_key
    inner join windows
        on {{ day_diff('person_weeks.week_start_date', 'fortnights.week_start_date') }} = windows.week_days
    group by
        person_weeks.week_start_date,
        windows.window_name,
        person_weeks.active_day_count,
        bit_count((person_weeks.day_mask * windows.move_factor) & fortnights.day_mask)

),

shares as (

    select
        *,
        cast(floor({{ safe_divide('420 * returned_day_count', 'active_day_count') }}) as bigint) as share_420ths
    from returned

),

summed as (

    select
        week_start_date,
        window_name,
        cast(sum(person_count * returned_day_count) as bigint) as returned_day_count,
        cast(sum(person_count * share_420ths) as bigint) as share_sum_420ths,
        cast(sum(person_count * share_420ths * share_420ths) as bigint) as share_square_sum
    from shares
    group by week_start_date, window_name

),

weeks as (

    select
        week_start_date,
        count(*) as active_user_count,
        cast(sum(active_day_count) as bigint) as active_day_count
    from person_weeks
    group by week_start_date

)

select
    weeks.week_start_date,
    windows.window_name,
    windows.lag_days,
    weeks.active_user_count,
    weeks.active_day_count,
    coalesce(summed.returned_day_count, 0) as returned_day_count,
    coalesce(summed.share_sum_420ths, 0) as share_sum_420ths,
    coalesce(summed.share_square_sum, 0) as share_square_sum
from weeks
cross join windows
left join summed
    on weeks.week_start_date = summed.week_start_date
    and windows.window_name = summed.window_name
where {{ add_days('weeks.week_start_date', '6 + windows.lag_days') }} <= {{ as_of_date() }}
