-- People times their active days is the sum of DAU over the window, and all people together are WAU or MAU.
with

windows as (

    select 7 as window_days
    union all
    select 28 as window_days

),

published as (

    select
        windows.window_days,
        ends.activity_date,
        max(case windows.window_days when 7 then ends.weekly_active_users else ends.monthly_active_users end)
            as person_count,
        sum(days.daily_active_users) as active_days_count
    from {{ ref('agg_active_users__daily') }} as ends
    cross join windows
    inner join {{ ref('agg_active_users__daily') }} as days
        on ends.activity_date >= days.activity_date
        and {{ add_days('ends.activity_date', '-windows.window_days') }} < days.activity_date
    group by windows.window_days, ends.activity_date

),

counted as (

    select
        window_days,
        activity_date,
        sum(user_count) as person_count,
        sum(active_days_count * user_count) as active_days_count
    from {{ ref('agg_active_days__daily') }}
    group by window_days, activity_date

)

select
    published.window_days,
    published.activity_date,
    published.person_count,
    counted.person_count as counted_person_count,
    published.active_days_count,
    counted.active_days_count as counted_active_days_count
from published
left join counted
    on published.window_days = counted.window_days and published.activity_date = counted.activity_date
where published.person_count is not null
    and (
        published.person_count <> coalesce(counted.person_count, -1)
        or published.active_days_count <> coalesce(counted.active_days_count, -1)
    )
