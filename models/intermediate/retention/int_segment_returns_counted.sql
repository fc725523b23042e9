{{ config(materialized='table') }}

-- A person is counted once a window: days are compared with windows first, segments come last, when one row a
-- person and window is left.
with

aged as (

    select * from {{ ref('int_active_days_aged') }}

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}
    where is_named

),

-- Active on day n or later is: the last active day within the horizon is n or later.
last_ages as (

    select
        person_key,
        max(age_days) as last_age_days
    from aged
    where age_days <= {{ number_var('retention_horizon_days') }}
    group by person_key

),

returned as (

    select
        aged.person_key,
        windows.window_name
    from aged
    inner join windows on windows.retention_kind = 'exact' and aged.age_days = windows.first_day
    union all
    select last_ages.person_key, windows.window_name
    from last_ages
    inner join windows on windows.retention_kind = 'rolling' and last_ages.last_age_days >= windows.first_day
    union all
    select distinct aged.person_key, windows.window_name
    from aged
    inner join windows
        on windows.retention_kind = 'bracket'
        and aged.age_days between windows.first_day and windows.last_day

)

select
    persons.segment_dimension,
    persons.segment_value,
    persons.first_active_date as cohort_date,
    returned.window_name,
    count(*) as returned_count
from returned
inner join {{ ref('int_persons_segmented') }} as persons on returned.person_key = persons.person_key
group by persons.segment_dimension, persons.segment_value, persons.first_active_date, returned.window_name
