{{ config(materialized='table') }}

-- A person lapses on the day after the last active day before the first silence of churn_days. Whether a day
-- began such a silence is known up to churn_days before the last complete day: there everybody's watch ends,
-- however active they are, so that nobody counts as here only because there was no time to see them gone.
with

gaps as (

    select
        person_key,
        activity_date,
        {{ day_diff(
            'activity_date',
            'lead(activity_date) over (partition by person_key order by activity_date asc nulls last)'
        ) }} as gap_days
    from {{ ref('int_active_days_spined') }}

),

persons as (

    select
        person_key,
        min(activity_date) as first_active_date,
        min(case
            when gap_days is null or gap_days > {{ number_var('churn_days') }} then activity_date
        end) as last_date,
        {{ add_days(as_of_date(), '-' ~ number_var('churn_days')) }} as watched_date
    from gaps
    group by person_key

)

select
    person_key,
    first_active_date,
    last_date <= watched_date as is_lapsed,
    cast({{ day_diff('first_active_date', 'least(last_date, watched_date)') }} + 1 as bigint) as lifetime_days
from persons
where first_active_date <= watched_date
