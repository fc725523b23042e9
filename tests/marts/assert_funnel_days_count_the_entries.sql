-- The days and the pooled funnel count the same people as the entries do, at every step.
with

entries as (

    select
        steps.funnel,
        steps.step_number,
        count(*) as entered_count,
        count(case when entries.reached_step_number >= steps.step_number then 1 end) as reached_count,
        count(
            case when entries.is_excluded and entries.reached_step_number = steps.step_number then 1 end
        ) as excluded_count
    from {{ ref('fct_funnel_entries') }} as entries
    inner join {{ ref('funnel_steps') }} as steps on entries.funnel = steps.funnel and not steps.is_exclusion
    group by steps.funnel, steps.step_number

),

days as (

    select
        funnel,
        step_number,
        sum(entered_count) as entered_count,
        sum(reached_count) as reached_count,
        sum(excluded_count) as excluded_count
    from {{ ref('agg_funnel_steps__daily') }}
    group by funnel, step_number

),

pooled as (

    select
        funnel,
        step_number,
        entered_count,
        reached_count,
        excluded_count
    from {{ ref('agg_funnel_steps__segments') }}
    where segment_dimension = 'all'

),

counted as (

    select 'entries' as place, funnel, step_number, entered_count, reached_count, excluded_count from entries
    union all
    select 'days' as place, funnel, step_number, entered_count, reached_count, excluded_count from days
    union all
    select 'pooled' as place, funnel, step_number, entered_count, reached_count, excluded_count from pooled

)

select
    funnel,
    step_number,
    count(*) as place_count
from counted
group by funnel, step_number
having count(*) <> 3
    or min(entered_count) <> max(entered_count)
    or min(reached_count) <> max(reached_count)
    or min(excluded_count) <> max(excluded_count)
