with

counted as (

    select
        returning_users.window_days,
        returning_users.activity_date,
        returning_users.new_user_count,
        returning_users.retained_user_count,
        case returning_users.window_days
            when 1 then rolled.daily_active_users
            when 7 then rolled.weekly_active_users
            when 28 then rolled.monthly_active_users
        end as active_user_count
    from {{ ref('int_returning_users_rolled') }} as returning_users
    inner join {{ ref('int_active_users_rolled') }} as rolled
        on returning_users.activity_date = rolled.activity_date

),

compared as (

    select
        *,
        row_number() over by_window as day_number,
        case window_days
            when 1 then lag(active_user_count, 1) over by_window
            when 7 then lag(active_user_count, 7) over by_window
            when 28 then lag(active_user_count, 28) over by_window
        end as previous_user_count
    from counted
    window by_window as (partition by window_days order by activity_date asc nulls last)

),

-- A window that began before the product did would compare a part with a whole.
whole as (

    select
        activity_date,
        window_days,
        case when day_number >= window_days then active_user_count end as active_user_count,
        case when day_number >= window_days then new_user_count end as new_user_count,
        case when day_number >= 2 * window_days then retained_user_count end as retained_user_count,
        case when day_number >= 2 * window_days then previous_user_count end as previous_user_count
    from compared

)

select
    activity_date,
    window_days,

    active_user_count,
    new_user_count,
    retained_user_count,
    active_user_count - new_user_count - retained_user_count as resurrected_user_count,
    previous_user_count,
    previous_user_count - retained_user_count as churned_user_count,
    active_user_count - retained_user_count as gained_user_count,
    active_user_count - previous_user_count as net_change,
    {{ safe_divide('active_user_count - retained_user_count', 'previous_user_count - retained_user_count') }}
        as quick_ratio,
    {{ safe_divide('previous_user_count - retained_user_count', 'previous_user_count') }} as churn_rate,

    {{ is_final('activity_date') }} as is_final
from whole
