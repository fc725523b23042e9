{{ config(materialized='table') }}

-- Each series told apart by when its people joined: active people by their first active day, payers by their first
-- paid day. Only changes are kept; summed up over the days they are the members of the cohort who count.
with

active as (

    select
        first_active_date as cohort_date,
        activity_date,
        least(
            coalesce(
                {{ day_diff(
                    'activity_date',
                    'lead(activity_date) over (partition by person_key order by activity_date asc nulls last)'
                ) }},
                7
            ),
            7
        ) as covered_days
    from {{ ref('int_active_days_aged') }}

),

counted as (

    select
        cohort_date,
        activity_date,
        covered_days,
        count(*) as user_count
    from active
    group by cohort_date, activity_date, covered_days

),

-- Who pays without ever having been active joined on the day of the first payment.
starts as (

    select
        least(payers.first_paid_date, coalesce(persons.first_active_date, payers.first_paid_date)) as cohort_date,
        payers.first_paid_date
    from {{ ref('int_series_payers_stepped') }} as payers
    left join {{ ref('int_persons_cohorted') }} as persons on payers.person_key = persons.person_key
    where payers.step_date = payers.first_paid_date

),

steps as (

    select 'daily_active_users' as metric, cohort_date, activity_date as step_date, user_count as step_value
    from counted
    union all
    select 'daily_active_users', cohort_date, {{ add_days('activity_date', 1) }}, -user_count from counted
    union all
    select 'weekly_active_users', cohort_date, activity_date, user_count from counted
    union all
    select 'weekly_active_users', cohort_date, {{ add_days('activity_date', 'covered_days') }}, -user_count
    from counted
    union all
    select 'new_payers', cohort_date, first_paid_date, 1 from starts
    union all
    select 'new_payers', cohort_date, {{ add_days('first_paid_date', 1) }}, -1 from starts
    union all
    select 'paying_users', first_paid_date, step_date, step_count from {{ ref('int_series_payers_stepped') }}
    union all
    select 'mrr_usd', first_paid_date, step_date, step_usd from {{ ref('int_series_payers_stepped') }}

)

select
    metric,
    cohort_date,
    step_date,
    cast(sum(step_value) as decimal(18, 6)) as step_value
from steps
where step_date <= {{ as_of_date() }}
group by metric, cohort_date, step_date
having sum(step_value) <> 0
