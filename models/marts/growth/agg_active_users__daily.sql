with

rolled as (

    select * from {{ ref('int_active_users_rolled') }}

),

-- Machines are counted apart, so that a reader sees how much was taken out.
machines as (

    select
        event_date,
        count(*) as automated_user_day_count
    from {{ ref('int_user_days_classified') }}
    where is_active and is_automated and not is_excluded
    group by event_date

),

windowed as (

    select
        rolled.activity_date,
        rolled.daily_active_users,
        rolled.weekly_active_users,
        rolled.monthly_active_users,
        coalesce(machines.automated_user_day_count, 0) as automated_user_day_count,
        row_number() over (order by rolled.activity_date asc nulls last) as day_number,
        sum(rolled.daily_active_users) over (
            order by rolled.activity_date asc nulls last rows between 27 preceding and current row
        ) as active_days_28d_count
    from rolled
    left join machines on rolled.activity_date = machines.event_date
    where rolled.activity_date <= {{ as_of_date() }}

)

select
    activity_date,

    daily_active_users,
    -- A window that began before the product did would compare a part with a whole.
    case when day_number >= 7 then weekly_active_users end as weekly_active_users,
    case when day_number >= 28 then monthly_active_users end as monthly_active_users,
    cast(case when day_number >= 28 then active_days_28d_count end as bigint) as active_days_28d_count,
    case
        when day_number >= 28 then {{ safe_divide('active_days_28d_count', 'monthly_active_users * 28') }}
    end as stickiness_rate,
    automated_user_day_count,
    {{ safe_divide('automated_user_day_count', 'automated_user_day_count + daily_active_users') }}
        as automated_user_day_rate,

    {{ is_final('activity_date') }} as is_final
from windowed
