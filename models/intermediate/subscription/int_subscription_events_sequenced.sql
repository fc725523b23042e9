{{ config(materialized='table') }}

-- Notifications of one subscription in the order in which things happened, whenever they arrived.
with

events as (

    select
        *,
        {{ reporting_date('event_time') }} as event_date,
        -- At one instant an end comes before what begins, and a choice after what it is about.
        case event_type
            when 'expired' then 1
            when 'payment_failed' then 2
            when 'trial_started' then 3
            when 'started' then 4
            when 'renewed' then 5
            when 'plan_changed' then 6
            when 'cancelled' then 7
            when 'reenabled' then 8
            else 9
        end as type_rank,
        -- A period whose end the store left out counts its longest length: renewals then never seem late.
        case period_unit when 'day' then 1 when 'week' then 7 when 'month' then 31 else 366 end as unit_days
    from {{ ref('stg_billing__subscription_events') }}
    where {{ reporting_date('event_time') }} <= {{ as_of_date() }}

),

people as (

    select
        person_key,
        person_id
    from {{ ref('int_persons_described') }}
    where not is_excluded

),

numbered as (

    select
        events.*,
        people.person_key,
        events.amount > 0
        and events.event_type in ('trial_started', 'started', 'renewed', 'plan_changed', 'reenabled') as is_charge,
        row_number() over (
            partition by events.subscription_id
            order by events.event_time asc nulls last, events.type_rank asc nulls last, events.event_id asc nulls last
        ) as event_number
    from events
    inner join people on events.user_id = people.person_id

)

select
    numbered.event_id,
    numbered.subscription_id,
    numbered.person_key,
    numbered.plan_id,
    numbered.store,
    numbered.event_type,
    cast(numbered.event_number as bigint) as event_number,
    numbered.currency,
    numbered.amount,
    rates.usd_per_unit,
    numbered.period_count,
    numbered.period_unit,
    numbered.is_charge,
    -- A period begins: of a trial, of a free month or of a paid one.
    numbered.is_charge or numbered.event_type in ('trial_started', 'started', 'renewed') as is_opening,
    cast(max(case when numbered.is_charge then numbered.event_number end) over (
        partition by numbered.subscription_id, numbered.currency
        order by numbered.event_number asc nulls last
        rows between unbounded preceding and current row
    ) as bigint) as last_charge_number,
    numbered.event_time as event_at,
    numbered.event_date,
    case
        when numbered.period_end > numbered.event_time then numbered.period_end
        else {{ timestamp_from_us(
            epoch_us('numbered.event_time') ~ ' + numbered.period_count * numbered.unit_days * 86400000000'
        ) }}
    end as covered_until_at
from numbered
left join {{ ref('int_exchange_rates_dated') }} as rates
    on numbered.currency = rates.currency
    and numbered.event_date between rates.valid_from_date and rates.valid_to_date
