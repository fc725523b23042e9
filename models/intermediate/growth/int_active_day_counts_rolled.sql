{{ config(materialized='table') }}

-- How many of the last w days a person was active changes on two kinds of days only: one more on an active
-- day, one less w days later. What each person had before and after such a day is counted by day; a running
-- sum over days does the rest. A day that leaves the window goes before the day that enters it.
with

days as (

    select
        person_key,
        activity_date,
        {{ day_diff("cast('1970-01-01' as date)", 'activity_date') }} as day_number
    from {{ ref('int_active_days_spined') }}

),

counted as (

    select
        activity_date,
        count(*) over (
            partition by person_key order by day_number asc nulls last range between 6 preceding and current row
        ) as behind_7d,
        count(*) over (
            partition by person_key order by day_number asc nulls last range between current row and 6 following
        ) as ahead_7d,
        count(*) over (
            partition by person_key order by day_number asc nulls last range between 27 preceding and current row
        ) as behind_28d,
        count(*) over (
            partition by person_key order by day_number asc nulls last range between current row and 27 following
        ) as ahead_28d
    from days

),

grouped as (

    select
        activity_date,
        behind_7d,
        ahead_7d,
        behind_28d,
        ahead_28d,
        count(*) as user_count
    from counted
    group by activity_date, behind_7d, ahead_7d, behind_28d, ahead_28d

),

steps as (

    {% for window in [7, 28] -%}
    select {{ window }} as window_days, activity_date as step_date, behind_{{ window }}d as day_count, user_count
    from grouped
    union all
    select {{ window }}, activity_date, behind_{{ window }}d - 1, -user_count
    from grouped
    union all
    select {{ window }}, {{ add_days('activity_date', window) }}, ahead_{{ window }}d, -user_count
    from grouped
    union all
    select {{ window }}, {{ add_days('activity_date', window) }}, ahead_{{ window }}d - 1, user_count
    from grouped
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Every day has a row for every possible number of days, whether or not somebody was active that often.
numbers as (

    {% for window in [7, 28] -%}
    {%- set last_window = loop.last -%}
    {% for day_count in range(1, window + 1) -%}
    select {{ window }} as window_days, {{ day_count }} as day_count
    {{ 'union all' if not (loop.last and last_window) }}
    {% endfor %}
    {%- endfor %}

),

summed as (

    select
        window_days,
        step_date,
        day_count,
        sum(user_count) as user_step
    from (
        select window_days, step_date, day_count, user_count
        from steps
        union all
        select numbers.window_days, days.calendar_date, numbers.day_count, 0
        from {{ ref('int_dates_spined') }} as days
        cross join numbers
    ) as all_steps
    where day_count > 0 and step_date <= {{ as_of_date() }}
    group by window_days, step_date, day_count

)

select
    step_date as activity_date,
    cast(window_days as bigint) as window_days,
    cast(day_count as bigint) as active_days_count,
    cast(sum(user_step) over (
        partition by window_days, day_count
        order by step_date asc nulls last rows between unbounded preceding and current row
    ) as bigint) as user_count
from summed
