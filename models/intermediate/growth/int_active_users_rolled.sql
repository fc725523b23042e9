{{ config(materialized='table') }}

-- Each active day of a person covers the days until the next one, up to the window: the running sum of what
-- starts and ends is the number of distinct people, without looking at anyone twice.
with

gaps as (

    select
        activity_date,
        coalesce(
            {{ day_diff(
                'activity_date',
                'lead(activity_date) over (partition by person_key order by activity_date asc nulls last)'
            ) }},
            28
        ) as gap_days
    from {{ ref('int_active_days_spined') }}

),

counted as (

    select
        activity_date,
        least(gap_days, 28) as gap_days,
        count(*) as user_count
    from gaps
    group by activity_date, least(gap_days, 28)

),

steps as (

    select activity_date, user_count as daily_step, user_count as weekly_step, user_count as monthly_step
    from counted
    union all
    select {{ add_days('activity_date', 1) }}, -user_count, 0, 0 from counted
    union all
    select {{ add_days('activity_date', 'least(gap_days, 7)') }}, 0, -user_count, 0 from counted
    union all
    select {{ add_days('activity_date', 'gap_days') }}, 0, 0, -user_count from counted

),

-- The calendar makes a day on which nobody starts or stops a row as well.
days as (

    select
        calendar_date as activity_date,
        cast(0 as bigint) as daily_step,
        cast(0 as bigint) as weekly_step,
        cast(0 as bigint) as monthly_step
    from {{ ref('int_dates_spined') }}

),

summed as (

    select
        activity_date,
        sum(daily_step) as daily_step,
        sum(weekly_step) as weekly_step,
        sum(monthly_step) as monthly_step
    from (
        select activity_date, daily_step, weekly_step, monthly_step from steps
        union all
        select activity_date, daily_step, weekly_step, monthly_step from days
    ) as all_steps
    group by activity_date

)

select
    activity_date,
    cast(sum(daily_step) over running as bigint) as daily_active_users,
    cast(sum(weekly_step) over running as bigint) as weekly_active_users,
    cast(sum(monthly_step) over running as bigint) as monthly_active_users
from summed
window running as (order by activity_date asc nulls last rows between unbounded preceding and current row)
