{{ config(materialized='table') }}

-- Events are read once for all funnels: one join finds every step, exclusion and funnel that an action serves.
with

wanted as (

    select
        entries.person_key,
        entries.funnel,
        steps.step_number,
        steps.step_name,
        steps.is_exclusion,
        steps.leads_to_step,
        steps.occurrence,
        steps.action_code,
        steps.feature_code,
        steps.method_code,
        steps.window_days,
        entries.entry_date,
        -- Of the first step only the first event is of interest.
        case when steps.leads_to_step = 1 then entries.entry_date else entries.last_date end as last_date
    from {{ ref('int_funnel_entry_days') }} as entries
    inner join {{ ref('int_funnel_steps_coded') }} as steps on entries.funnel = steps.funnel

),

actions as (

    select
        person_key,
        event_key as action_key,
        event_code as action_code,
        feature_code,
        method_code,
        event_at as action_at,
        event_date as action_date
    from {{ ref('int_events_resolved') }}
    where event_code > 0
    union all
    select
        person_key,
        action_key,
        action_code,
        cast(null as smallint),
        cast(null as smallint),
        action_at,
        action_date
    from {{ ref('int_actions_recorded') }}

),

matched as (

    select
        wanted.person_key,
        wanted.funnel,
        wanted.step_number,
        wanted.step_name,
        wanted.is_exclusion,
        wanted.leads_to_step,
        wanted.occurrence,
        wanted.window_days,
        wanted.entry_date,
        actions.action_code,
        actions.feature_code,
        actions.method_code,
        actions.action_key,
        actions.action_at,
        actions.action_date
    from actions
    inner join wanted
        on actions.person_key = wanted.person_key
        and actions.action_code = wanted.action_code
        and actions.action_date >= wanted.entry_date
        and actions.action_date <= wanted.last_date
    where coalesce(wanted.feature_code, actions.feature_code, -1) = coalesce(actions.feature_code, -1)
        and coalesce(wanted.method_code, actions.method_code, -1) = coalesce(actions.method_code, -1)

)

select
    matched.person_key,
    matched.funnel,
    matched.step_number,
    matched.step_name,
    matched.is_exclusion,
    matched.leads_to_step,
    matched.occurrence,
    matched.window_days,
    matched.entry_date,
    matched.action_at,
    matched.action_date,
    -- The place of an action in time. At one instant the order of the contract decides (a card is shown before
    -- its page is opened); the key comes last, between actions that are alike. One action has one place.
    dense_rank() over (
        partition by matched.person_key, matched.funnel
        order by
            matched.action_at asc nulls last, matched.action_code asc nulls last,
            coalesce(matched.feature_code, -1) asc nulls last, coalesce(matched.method_code, -1) asc nulls last,
            matched.action_key asc nulls last
    ) as place
from matched
left join {{ ref('int_user_days_excluded') }} as excluded_days
    on matched.person_key = excluded_days.person_key and matched.action_date = excluded_days.event_date
where excluded_days.person_key is null
