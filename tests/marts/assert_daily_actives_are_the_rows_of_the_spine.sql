-- Day by day and over both sides: DAU is the number of spine rows and the number of distinct people alike.
with

spine as (

    select
        activity_date,
        count(*) as user_day_count,
        count(distinct person_id) as person_count
    from {{ ref('fct_user_days') }}
    group by activity_date

)

select
    coalesce(daily.activity_date, spine.activity_date) as activity_date,
    daily.daily_active_users,
    spine.user_day_count,
    spine.person_count
from {{ ref('agg_active_users__daily') }} as daily
full outer join spine on daily.activity_date = spine.activity_date
where daily.activity_date is null
    or daily.daily_active_users <> coalesce(spine.user_day_count, 0)
    or daily.daily_active_users <> coalesce(spine.person_count, 0)
