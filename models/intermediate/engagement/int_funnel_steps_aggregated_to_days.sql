{{ config(materialized='table') }}

select
    funnel,
    entry_date,
    window_days,
    step_number,
    step_name,
    count(*) as entered_count,
    count(case when step_number = 1 then reached_at else previous_at end) as previous_count,
    count(reached_at) as reached_count,
    count(case when is_excluded then 1 end) as excluded_count,
    percentile_cont(0.5) within group (
        order by {{ epoch_us('reached_at') }} - {{ epoch_us('previous_at') }}
    ) as from_previous_us_p50,
    percentile_cont(0.9) within group (
        order by {{ epoch_us('reached_at') }} - {{ epoch_us('previous_at') }}
    ) as from_previous_us_p90
from {{ ref('int_funnel_steps_reached') }}
group by funnel, entry_date, window_days, step_number, step_name
