{{ config(materialized='table') }}

with

marked as (

    select
        *,
        case
            when lag(state) over in_order = state and lag(is_trial) over in_order = is_trial then 0 else 1
        end as is_change
    from {{ ref('int_subscription_states_timed') }}
    window in_order as (partition by subscription_id order by started_at asc nulls last)

),

numbered as (

    select
        *,
        sum(is_change) over (
            partition by subscription_id order by started_at asc nulls last
            rows between unbounded preceding and current row
        ) as spell_number
    from marked

),

-- However often it is reported, a state that goes on is one spell.
merged as (

    select
        subscription_id,
        spell_number,
        {{ first_by('person_key', ['started_at']) }} as person_key,
        {{ first_by('plan_id', ['started_at']) }} as plan_id,
        {{ first_by('store', ['started_at']) }} as store,
        {{ first_by('cause', ['started_at']) }} as cause,
        min(state) as state,
        min(case when is_trial then 1 else 0 end) = 1 as is_trial,
        min(started_at) as started_at,
        case when count(*) = count(ended_at) then max(ended_at) end as ended_at
    from numbered
    group by subscription_id, spell_number

),

compared as (

    select
        *,
        lag(state) over in_order as previous_state,
        lag(is_trial) over in_order as is_previous_trial,
        max(case when state = 'paid' then 1 else 0 end) over (
            partition by subscription_id order by spell_number asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as was_paid,
        -- Over all subscriptions of the person: who comes back is no new customer.
        min(case when state = 'paid' then started_at end) over (partition by person_key) as person_paid_at
    from merged
    window in_order as (partition by subscription_id order by spell_number asc nulls last)

),

explained as (

    select
        *,
        coalesce(person_paid_at < started_at, false) as is_returning,
        case
            when state in ('grace', 'lapsed') then cause
            when state = 'cancelled' then 'cancelled'
            when state = 'trial' then 'trial_started'
            when previous_state is null then case when person_paid_at < started_at then 'reactivated' else 'started' end
            when previous_state = 'lapsed' and was_paid = 1 then 'reactivated'
            when is_previous_trial then 'converted'
            when previous_state = 'grace' then 'recovered'
            else 'reenabled'
        end as begin_reason
    from compared

)

select
    subscription_id,
    cast(spell_number as bigint) as spell_number,
    person_key,
    plan_id,
    store,
    state,
    begin_reason,
    coalesce(
        lead(begin_reason) over (partition by subscription_id order by spell_number asc nulls last), 'none'
    ) as end_reason,
    is_trial,
    is_returning,
    started_at,
    ended_at,
    {{ reporting_date('started_at') }} as started_date,
    {{ reporting_date('ended_at') }} as ended_date
from explained
