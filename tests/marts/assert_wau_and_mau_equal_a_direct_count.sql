-- The windows are computed as running sums of comings and goings; on the last day they are counted directly.
with

last_day as (

    select
        activity_date,
        weekly_active_users,
        monthly_active_users
    from {{ ref('agg_active_users__daily') }}
    where activity_date = {{ as_of_date() }}

),

counted as (

    select
        last_day.activity_date,
        count(distinct case
            when days.activity_date > {{ add_days('last_day.activity_date', -7) }} then days.person_id
        end) as weekly_person_count,
        count(distinct days.person_id) as monthly_person_count
    from last_day
    left join {{ ref('fct_user_days') }} as days
        on {{ add_days('last_day.activity_date', -28) }} < days.activity_date
        and last_day.activity_date >= days.activity_date
    group by last_day.activity_date

)

select
    last_day.activity_date,
    last_day.weekly_active_users,
    counted.weekly_person_count,
    last_day.monthly_active_users,
    counted.monthly_person_count
from last_day
inner join counted on last_day.activity_date = counted.activity_date
where coalesce(last_day.weekly_active_users, counted.weekly_person_count) <> counted.weekly_person_count
    or coalesce(last_day.monthly_active_users, counted.monthly_person_count) <> counted.monthly_person_count
