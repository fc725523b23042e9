{{ config(materialized='table') }}
{%- set last = number_var('funnel_max_steps') | int %}
-- From each step to the earliest action of the next one: as deep as any choice of actions could lead, since an
-- earlier step leaves no fewer actions after it. What is excluded before the next step goes no further.
with

actions as (

    select * from {{ ref('int_funnel_actions_since_entry') }}

),

walk_1 as (

    select
        person_key,
        funnel,
        entry_date,
        action_at as step_1_at,
        place,
        cast(null as bigint) as excluded_after_step
    from actions
    where leads_to_step = 1

),
{% for step in range(2, last + 1) %}
after_{{ step - 1 }} as (

    select
        walked.person_key,
        walked.funnel,
        max(walked.entry_date) as entry_date,
        {%- for before in range(1, step) %}
        max(walked.step_{{ before }}_at) as step_{{ before }}_at,
        {%- endfor %}
        max(walked.excluded_after_step) as excluded_after_step,
        min(case when not actions.is_exclusion then actions.place end) as next_place,
        min(case when not actions.is_exclusion then actions.action_at end) as next_at,
        min(case when actions.is_exclusion then actions.place end) as exclusion_place
    from walk_{{ step - 1 }} as walked
    left join actions
        on walked.person_key = actions.person_key
        and walked.funnel = actions.funnel
        and actions.leads_to_step = {{ step }}
        and walked.place < actions.place
    group by walked.person_key, walked.funnel

),

walk_{{ step }} as (

    select
        person_key,
        funnel,
        entry_date,
        {%- for before in range(1, step) %}
        step_{{ before }}_at,
        {%- endfor %}
        case when exclusion_place is null or exclusion_place >= next_place then next_at end as step_{{ step }}_at,
        case when exclusion_place is null or exclusion_place >= next_place then next_place end as place,
        case
            when exclusion_place is not null and (next_place is null or exclusion_place < next_place)
                then {{ step - 1 }}
            else excluded_after_step
        end as excluded_after_step
    from after_{{ step - 1 }}

){{ ',' if not loop.last }}
{% endfor %}
select
    person_key,
    funnel,
    entry_date,
    {%- for step in range(1, last + 1) %}
    step_{{ step }}_at,
    {%- endfor %}
    excluded_after_step
from walk_{{ last }}
