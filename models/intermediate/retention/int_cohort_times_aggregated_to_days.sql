{{ config(materialized='table') }}

-- What the members of a cohort did on each day since they joined; time before the first active day is nobody's.
with

active as (

    select
        persons.first_active_date as cohort_date,
        days.activity_date,
        count(*) as active_days_count
    from {{ ref('int_active_days_spined') }} as days
    inner join {{ ref('int_persons_cohorted') }} as persons on days.person_key = persons.person_key
    group by persons.first_active_date, days.activity_date

),

timed as (

    select
        persons.first_active_date as cohort_date,
        sessions.session_date as activity_date,
        sum(sessions.session_ms) as session_ms
    from {{ ref('int_sessions_aggregated_to_user_days') }} as sessions
    inner join {{ ref('int_persons_cohorted') }} as persons
        on sessions.person_key = persons.person_key and sessions.session_date >= persons.first_active_date
    group by persons.first_active_date, sessions.session_date

)

select
    coalesce(active.cohort_date, timed.cohort_date) as cohort_date,
    coalesce(active.activity_date, timed.activity_date) as activity_date,
    coalesce(active.active_days_count, 0) as active_days_count,
    cast(coalesce(timed.session_ms, 0) as bigint) as session_ms
from active
full outer join timed
    on active.cohort_date = timed.cohort_date and active.activity_date = timed.activity_date
