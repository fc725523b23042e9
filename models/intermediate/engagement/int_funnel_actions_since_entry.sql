{{ config(materialized='table') }}

-- What counts in the funnel of a person: the first event of step 1, and after it what the window holds.
with

actions as (

    select
        *,
        min(case when leads_to_step = 1 then place end) over (partition by person_key, funnel) as entry_place,
        min(case when leads_to_step = 1 then action_at end) over (partition by person_key, funnel) as entered_at
    from {{ ref('int_funnel_actions_matched') }}

),

-- Repeats are counted from the entry: an action that enters and repeats is the first of its repeats.
counted as (

    select
        *,
        row_number() over (
            partition by person_key, funnel, leads_to_step, is_exclusion, step_name order by place asc nulls last
        ) as repeat_number
    from actions
    where place >= entry_place
        and {{ epoch_us('action_at') }}
        <= {{ epoch_us('entered_at') }} + window_days * cast({{ 86400 * 1000000 }} as bigint)

)

select
    person_key,
    funnel,
    step_number,
    step_name,
    is_exclusion,
    leads_to_step,
    entry_date,
    action_at,
    place
from counted
where (leads_to_step = 1 and place = entry_place)
    or (leads_to_step > 1 and place > entry_place and repeat_number >= occurrence)
