{%- set features = event_features() + ['unknown'] -%}
with

days as (

    select
        calendar.calendar_date as activity_date,
        coalesce(counted.active_user_count, 0) as active_user_count
    from {{ ref('int_dates_spined') }} as calendar
    left join {{ ref('int_user_days_aggregated_to_days') }} as counted
        on calendar.calendar_date = counted.event_date

),

grid as (

    {% for feature in features -%}
    select activity_date, active_user_count, '{{ feature }}' as feature from days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

used as (

    select
        use_date,
        feature,
        count(case when is_active then 1 end) as user_count,
        cast(coalesce(sum(case when is_active then use_count end), 0) as bigint) as use_count,
        count(case when use_date = first_use_date then 1 end) as first_time_user_count,
        count(case
            when use_date = first_use_date and {{ day_diff('use_date', 'next_use_date') }} <= 7 then 1
        end) as repeat_7d_user_count
    from {{ ref('int_feature_days_aged') }}
    group by use_date, feature

),

filled as (

    select
        grid.activity_date,
        grid.feature,
        grid.active_user_count,
        coalesce(used.user_count, 0) as user_count,
        coalesce(used.use_count, 0) as use_count,
        coalesce(used.first_time_user_count, 0) as first_time_user_count,
        -- The seven days after the first use have to be over.
        case
            when {{ add_days('grid.activity_date', 7) }} <= {{ as_of_date() }}
                then coalesce(used.repeat_7d_user_count, 0)
        end as repeat_7d_user_count
    from grid
    left join used on grid.activity_date = used.use_date and grid.feature = used.feature

)

select
    activity_date,
    feature,

    active_user_count,
    user_count,
    use_count,
    {{ safe_divide('user_count', 'active_user_count') }} as adoption_rate,
    first_time_user_count,
    repeat_7d_user_count,
    {{ safe_divide('repeat_7d_user_count', 'first_time_user_count') }} as repeat_7d_rate,

    {{ is_final('activity_date') }} as is_final
from filled
