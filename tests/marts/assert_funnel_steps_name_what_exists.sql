-- A step that names what nobody ever does would read as a funnel that nobody walks.
with

judged as (

    select
        funnel,
        step_number,
        step_name,
        case
            when action not in ({{ quoted_list(event_names() + var('funnel_other_actions')) }}) then 'unknown action'
            when feature <> 'any' and action <> 'feature_used' then 'only feature_used names a feature'
            when feature not in ('any', {{ quoted_list(event_features()) }}) then 'unknown feature'
            when method <> 'any' and action <> 'message_sent' then 'only message_sent has a method'
            when method not in ('any', {{ quoted_list(event_methods()) }}) then 'unknown method'
            when step_number not between 1 and {{ number_var('funnel_max_steps') }}
                then 'more steps than funnel_max_steps'
        end as problem
    from {{ ref('funnel_steps') }}

)

select *
from judged
where problem is not null
