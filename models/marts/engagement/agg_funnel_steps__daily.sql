select
    funnel,
    entry_date,
    step_number,
    step_name,
    window_days,

    entered_count,
    previous_count,
    reached_count,
    excluded_count,
    {{ safe_divide('reached_count', 'previous_count') }} as step_conversion_rate,
    {{ safe_divide('reached_count', 'entered_count') }} as conversion_rate,
    from_previous_us_p50 / 1000000 as seconds_from_previous_p50,
    from_previous_us_p90 / 1000000 as seconds_from_previous_p90,

    {{ is_final(add_days('entry_date', 'window_days')) }} as is_final
from {{ ref('int_funnel_steps_aggregated_to_days') }}
