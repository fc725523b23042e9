{{ config(materialized='table') }}

-- Each person active in a week weighs once, whatever the number of days: the share k / m of m <= 7 active days
-- that were followed by activity n days later. 420 k / m is whole for every m up to 7, so sums are exact.
with

aged as (

    select
        person_key,
        activity_date,
        cast({{ dbt.date_trunc('week', 'activity_date') }} as date) as week_start_date
    from {{ ref('int_active_days_aged') }}

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}
    where is_named and retention_kind = 'exact'

),

person_weeks as (

    select
        person_key,
        week_start_date,
        count(*) as active_day_count
    from aged
    group by person_key, week_start_date

),

weeks as (

    select
        week_start_date,
        count(*) as active_user_count,
        cast(sum(active_day_count) as bigint) as active_day_count
    from person_weeks
    group by week_start_date

),

returned as (

    select
        aged.person_key,
        aged.week_start_date,
        windows.window_name,
        count(*) as returned_day_count
    from aged
    cross join windows
    inner join aged as later
        on aged.person_key = later.person_key
        and {{ add_days('aged.activity_date', 'windows.first_day') }} = later.activity_date
    group by aged.person_key, aged.week_start_date, windows.window_name

),

shares as (

    select
        returned.week_start_date,
        returned.window_name,
        returned.returned_day_count,
        cast(
            floor({{ safe_divide('420 * returned.returned_day_count', 'person_weeks.active_day_count') }}) as bigint
        ) as share_420ths
    from returned
    inner join person_weeks
        on returned.person_key = person_weeks.person_key
        and returned.week_start_date = person_weeks.week_start_date

),

summed as (

    select
        week_start_date,
        window_name,
        cast(sum(returned_day_count) as bigint) as returned_day_count,
        cast(sum(share_420ths) as bigint) as share_sum_420ths,
        cast(sum(share_420ths * share_420ths) as bigint) as share_square_sum
    from shares
    group by week_start_date, window_name

)

select
    weeks.week_start_date,
    windows.window_name,
    windows.first_day as lag_days,
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
where {{ add_days('weeks.week_start_date', '6 + windows.first_day') }} <= {{ as_of_date() }}
