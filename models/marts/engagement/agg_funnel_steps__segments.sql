with

counted as (

    select
        funnel,
        window_days,
        step_number,
        step_name,
        segment_dimension,
        segment_value,
        count(*) as entered_count,
        count(case when step_number = 1 then reached_at else previous_at end) as previous_count,
        count(reached_at) as reached_count,
        count(case when is_excluded then 1 end) as excluded_count
    from {{ ref('int_funnel_steps_segmented') }}
    group by funnel, window_days, step_number, step_name, segment_dimension, segment_value

)

select
    funnel,
    segment_dimension,
    segment_value,
    step_number,
    step_name,
    window_days,

    entered_count,
    previous_count,
    reached_count,
    excluded_count,
    {{ safe_divide('reached_count', 'previous_count') }} as step_conversion_rate,
    {{ safe_divide('reached_count', 'entered_count') }} as conversion_rate
from counted
