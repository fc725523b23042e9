{{ config(materialized='table') }}

-- Every age and week of age of everybody together, from counts of what happened: no person meets every n.
with

aged as (

    select * from {{ ref('int_active_days_aged') }}

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}

),

weeks as (

    select distinct
        person_key,
        first_active_date,
        age_days - age_days % 7 as first_day
    from aged

),

last_ages as (

    select
        first_active_date,
        max(age_days) as last_age_days
    from aged
    where age_days <= {{ number_var('retention_horizon_days') }}
    group by first_active_date, person_key

),

leavers as (

    select
        first_active_date,
        last_age_days,
        count(*) as person_count
    from last_ages
    group by first_active_date, last_age_days

),

joined as (

    select distinct first_active_date
    from leavers

),

-- Who was last seen at age 5 has returned on day n or later for every n up to 5: a running sum from the end.
rolling_ages as (

    select
        joined.first_active_date,
        windows.first_day,
        sum(coalesce(leavers.person_count, 0)) over (
            partition by joined.first_active_date
            order by windows.first_day desc nulls last
            rows between unbounded preceding and current row
        ) as returned_count
    from joined
    inner join windows on windows.retention_kind = 'rolling'
    left join leavers
        on joined.first_active_date = leavers.first_active_date
        and windows.first_day = leavers.last_age_days

),

counted as (

    select
        first_active_date as cohort_date,
        'exact' as retention_kind,
        age_days as first_day,
        age_days as last_day,
        count(*) as returned_count
    from aged
    group by first_active_date, age_days
    union all
    select first_active_date, 'bracket', first_day, first_day + 6, count(*)
    from weeks
    group by first_active_date, first_day
    union all
    select first_active_date, 'rolling', first_day, {{ number_var('retention_horizon_days') }}, returned_count
    from rolling_ages

)

select
    counted.cohort_date,
    windows.window_name,
    cast(counted.returned_count as bigint) as returned_count
from counted
inner join windows
    on counted.retention_kind = windows.retention_kind
    and counted.first_day = windows.first_day
    and counted.last_day = windows.last_day
where counted.returned_count > 0
