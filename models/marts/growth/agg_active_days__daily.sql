with

rolled as (

    select
        activity_date,
        weekly_active_users,
        monthly_active_users,
        row_number() over (order by activity_date asc nulls last) as day_number
    from {{ ref('int_active_users_rolled') }}
    where activity_date <= {{ as_of_date() }}

),

counted as (

    select
        counts.activity_date,
        counts.window_days,
        counts.active_days_count,
        counts.user_count,
        case counts.window_days
            when 7 then rolled.weekly_active_users
            when 28 then rolled.monthly_active_users
        end as active_user_count
    from {{ ref('int_active_day_counts_rolled') }} as counts
    -- A window that began before the product did is no row: its users had no chance to be active as often.
    inner join rolled
        on counts.activity_date = rolled.activity_date and counts.window_days <= rolled.day_number

)

select
    activity_date,
    window_days,
    active_days_count,

    user_count,
    active_user_count,
    {{ safe_divide('user_count', 'active_user_count') }} as user_rate,

    {{ is_final('activity_date') }} as is_final
from counted
