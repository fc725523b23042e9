-- Whoever is active on a day is so at some age of some cohort: what the cohorts add on that day is DAU.
with

added as (

    select
        {{ add_days('cohort_date', 'age_days') }} as activity_date,
        active_days_count - coalesce(
            lag(active_days_count) over (partition by cohort_date order by age_days asc nulls last), 0
        ) as active_user_count
    from {{ ref('agg_cohort_time__ages') }}

),

summed as (

    select
        activity_date,
        sum(active_user_count) as active_user_count
    from added
    group by activity_date

)

select
    coalesce(daily.activity_date, summed.activity_date) as activity_date,
    daily.daily_active_users,
    summed.active_user_count
from {{ ref('agg_active_users__daily') }} as daily
full outer join summed on daily.activity_date = summed.activity_date
where coalesce(daily.daily_active_users, -1) <> coalesce(summed.active_user_count, 0)
