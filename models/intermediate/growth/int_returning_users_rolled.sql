{{ config(materialized='table') }}

-- A person is in the window of w days from an active day until w days after it; a silence longer than w days
-- ends a stay. Retained is who is in the window now and was in it w days ago: from w days after a stay began
-- until it ends, and once more where the next stay begins before the old one, moved by w days, is over. So a
-- histogram of silences says when people start and stop to be retained, without a row for a person and a day.
with

windows as (

    select 1 as window_days
    union all
    select 7 as window_days
    union all
    select 28 as window_days

),

firsts as (

    select
        windows.window_days,
        persons.first_active_date,
        count(*) as user_count
    from {{ ref('int_persons_cohorted') }} as persons
    cross join windows
    group by windows.window_days, persons.first_active_date

),

-- Stays that end: who was active for the last time (no gap) or came back too late to stay.
ends as (

    select
        windows.window_days,
        gaps.activity_date,
        gaps.gap_days,
        gaps.user_count
    from {{ ref('int_active_day_gaps_counted') }} as gaps
    cross join windows
    where coalesce(gaps.gap_days, 1000000) > windows.window_days

),

steps as (

    select window_days, first_active_date as step_date, user_count as new_step, 0 as retained_step
    from firsts
    union all
    select window_days, {{ add_days('first_active_date', 'window_days') }}, -user_count, user_count
    from firsts
    union all
    select window_days, {{ add_days('activity_date', 'window_days') }}, 0, -user_count
    from ends
    union all
    select window_days, {{ add_days('activity_date', 'gap_days + window_days') }}, 0, user_count
    from ends
    where gap_days is not null
    union all
    select window_days, {{ add_days('activity_date', 'gap_days') }}, 0, user_count
    from ends
    where gap_days < 2 * window_days
    union all
    select window_days, {{ add_days('activity_date', '2 * window_days') }}, 0, -user_count
    from ends
    where gap_days < 2 * window_days
    union all
    -- The calendar makes a day on which nothing changes a row as well.
    select windows.window_days, days.calendar_date, 0, 0
    from {{ ref('int_dates_spined') }} as days
    cross join windows

),

summed as (

    select
        window_days,
        step_date,
        sum(new_step) as new_step,
        sum(retained_step) as retained_step
    from steps
    where step_date <= {{ as_of_date() }}
    group by window_days, step_date

)

select
    cast(window_days as bigint) as window_days,
    step_date as activity_date,
    cast(sum(new_step) over running as bigint) as new_user_count,
    cast(sum(retained_step) over running as bigint) as retained_user_count
from summed
window running as (
    partition by window_days order by step_date asc nulls last rows between unbounded preceding and current row
)
