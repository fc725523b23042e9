{{ config(materialized='table') }}

with

openings as (

    select
        *,
        lead(event_at) over in_order as next_opening_at,
        lead(event_type) over in_order as next_opening_type
    from {{ ref('int_subscription_events_sequenced') }}
    where is_opening
    window in_order as (partition by subscription_id order by event_number asc nulls last)

),

lapses as (

    select
        subscription_id,
        begin_reason,
        started_at
    from {{ ref('int_subscription_spells') }}
    where state = 'lapsed'

),

priced as (

    select
        openings.*,
        lapses.begin_reason as lapse_reason,
        lapses.started_at as lapsed_at,
        cast(cast(openings.amount as decimal(19, 6)) * openings.usd_per_unit as decimal(18, 6)) as amount_usd,
        -- What is charged for a change of plan covers the rest of a period: the list says what the plan costs.
        case when openings.event_type = 'plan_changed' then offers.list_price_usd end as changed_price_usd
    from openings
    left join lapses
        on openings.subscription_id = lapses.subscription_id
        and openings.event_at < lapses.started_at
        and coalesce(openings.next_opening_at, cast('9999-12-31' as timestamp)) > lapses.started_at
    left join {{ ref('plans') }} as offers
        on openings.plan_id = offers.plan_id
        and openings.period_count = offers.period_count
        and openings.period_unit = offers.period_unit
    where openings.is_charge

),

-- Months in a period, as a fraction: 52 weeks and 365 days are 12 months.
measured as (

    select
        *,
        cast(floor(cast(coalesce(changed_price_usd, amount_usd) as decimal(19, 6)) * 1000000) as bigint)
        * case period_unit when 'week' then 52 when 'day' then 365 else 1 end as monthly_numerator,
        period_count * case period_unit when 'month' then 1 else 12 end as monthly_denominator,
        sum(case when lapsed_at is not null then 1 else 0 end) over (
            partition by subscription_id order by event_number asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as lapses_before
    from priced

),

-- Micro-dollars, half up, in whole numbers: no engine rounds them in its own way.
rounded as (

    select
        *,
        case
            when event_type = 'trial_started' then 0
            else floor({{ safe_divide('2 * monthly_numerator + monthly_denominator', '2 * monthly_denominator') }})
        end as monthly_micros
    from measured

)

select
    event_id,
    subscription_id,
    -- A subscription that lapsed and was paid for again begins a new run.
    cast(coalesce(lapses_before, 0) + 1 as bigint) as run_number,
    cast(row_number() over (
        partition by subscription_id, coalesce(lapses_before, 0) order by event_number asc nulls last
    ) as bigint) as period_number,
    person_key,
    plan_id,
    store,
    event_type as charge_type,
    -- Only a period that is due can have been renewed or lost: those that ended early wait for the others.
    case
        when next_opening_type = 'plan_changed' and next_opening_at < covered_until_at and lapsed_at is null
            then 'changed'
        when {{ reporting_date('covered_until_at') }} > {{ as_of_date() }} then 'not_due'
        when lapsed_at is not null then 'lapsed'
        when next_opening_at is not null then 'renewed'
        else 'in_grace'
    end as outcome,
    coalesce(lapse_reason, 'none') as lapse_reason,
    currency,
    amount,
    amount_usd,
    cast(
        cast(cast(monthly_micros as bigint) as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
    ) as monthly_usd,
    event_at as started_at,
    covered_until_at as due_at,
    coalesce(lapsed_at, next_opening_at) as ended_at,
    event_date as started_date,
    {{ reporting_date('covered_until_at') }} as due_date,
    {{ reporting_date('coalesce(lapsed_at, next_opening_at)') }} as ended_date
from rounded
