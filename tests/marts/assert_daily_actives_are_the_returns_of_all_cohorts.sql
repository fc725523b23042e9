-- Who is active today joined on some day before: DAU(t) is the sum over cohorts c of those back at age t - c.
with

returns as (

    select
        {{ add_days('cohort_date', 'first_day') }} as activity_date,
        sum(returned_count) as returned_count
    from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'
        and segment_dimension = 'all'
        and retention_kind = 'exact'
    group by {{ add_days('cohort_date', 'first_day') }}

)

select
    coalesce(days.activity_date, returns.activity_date) as activity_date,
    days.daily_active_users,
    returns.returned_count
from {{ ref('agg_active_users__daily') }} as days
full outer join returns on days.activity_date = returns.activity_date
where days.activity_date is null
    or days.daily_active_users <> coalesce(returns.returned_count, 0)
