-- The spine marts join people by key; a key without a person would silently drop its days.
with

spine as (

    select
        activity_date,
        count(*) as user_day_count
    from {{ ref('int_active_days_spined') }}
    group by activity_date

),

published as (

    select
        activity_date,
        count(*) as user_day_count
    from {{ ref('fct_user_days') }}
    group by activity_date

)

select
    coalesce(spine.activity_date, published.activity_date) as activity_date,
    spine.user_day_count,
    published.user_day_count as published_user_day_count
from spine
full outer join published on spine.activity_date = published.activity_date
where coalesce(spine.user_day_count, 0) <> coalesce(published.user_day_count, 0)
