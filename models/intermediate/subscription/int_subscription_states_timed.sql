{%- set grace = "interval '" ~ number_var('payment_grace_days') ~ "' day" %}
{%- set tolerance = "interval '" ~ number_var('renewal_tolerance_hours') ~ "' hour" %}
-- What a store does not report, time does: an unpaid period turns into grace, and grace into a lapse.
with

covered as (

    select
        *,
        -- A renewal shortly after the end of a period is no interruption.
        case
            when is_next_opening and next_event_at between covered_until_at and covered_until_at + {{ tolerance }}
                then next_event_at
            else covered_until_at
        end as reached_at
    from {{ ref('int_subscription_events_stated') }}

),

limits as (

    select
        *,
        case when state in ('grace', 'lapsed') then event_at else greatest(event_at, reached_at) end as state_until_at,
        case
            when state = 'lapsed' then event_at
            when state = 'cancelled' then greatest(event_at, reached_at)
            else greatest(event_at, reached_at, covered_until_at + {{ grace }})
        end as grace_until_at
    from covered

),

pieces as (

    select
        subscription_id, person_key, plan_id, store, is_trial, state, 'none' as cause,
        event_at as started_at,
        least(state_until_at, coalesce(next_event_at, state_until_at)) as ended_at
    from limits
    union all
    select
        subscription_id, person_key, plan_id, store, is_trial, 'grace' as state, grace_reason as cause,
        state_until_at as started_at,
        least(grace_until_at, coalesce(next_event_at, grace_until_at)) as ended_at
    from limits
    union all
    select
        subscription_id, person_key, plan_id, store, is_trial, 'lapsed' as state, lapse_reason as cause,
        grace_until_at as started_at,
        next_event_at as ended_at
    from limits

)

select
    subscription_id,
    person_key,
    plan_id,
    store,
    is_trial,
    state,
    cause,
    started_at,
    -- What lies behind the last complete day has not happened yet.
    case when {{ reporting_date('ended_at') }} <= {{ as_of_date() }} then ended_at end as ended_at
from pieces
where (ended_at is null or started_at < ended_at) and {{ reporting_date('started_at') }} <= {{ as_of_date() }}
