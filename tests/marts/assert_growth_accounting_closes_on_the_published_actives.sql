-- Each window is DAU, WAU or MAU as published, and the window before it is that of so many days ago.
with

published as (

    select activity_date, 1 as window_days, daily_active_users as active_user_count
    from {{ ref('agg_active_users__daily') }}
    union all
    select activity_date, 7, weekly_active_users from {{ ref('agg_active_users__daily') }}
    union all
    select activity_date, 28, monthly_active_users from {{ ref('agg_active_users__daily') }}

),

compared as (

    select
        coalesce(published.activity_date, growth.activity_date) as activity_date,
        coalesce(published.window_days, growth.window_days) as window_days,
        published.active_user_count as published_count,
        growth.active_user_count,
        growth.previous_user_count,
        growth.retained_user_count + growth.churned_user_count as stayed_or_left_count,
        earlier.active_user_count as earlier_count
    from published
    full outer join {{ ref('agg_growth_accounting__daily') }} as growth
        on published.activity_date = growth.activity_date and published.window_days = growth.window_days
    left join published as earlier
        on published.window_days = earlier.window_days
        and published.activity_date = {{ add_days('earlier.activity_date', 'earlier.window_days') }}

)

select *
from compared
where coalesce(published_count, -1) <> coalesce(active_user_count, -1)
    or coalesce(earlier_count, -1) <> coalesce(previous_user_count, -1)
    or coalesce(earlier_count, -1) <> coalesce(stayed_or_left_count, -1)
