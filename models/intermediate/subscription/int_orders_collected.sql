-- Everything a person was charged for, in one form: coins and goods as the shop recorded them, and each charge
-- of a subscription. A refund of a subscription belongs to the charge before it, in the same currency.
with

events as (

    select * from {{ ref('int_subscription_events_sequenced') }}

),

refunds as (

    select
        subscription_id,
        last_charge_number,
        cast(sum(-amount) as decimal(18, 6)) as refunded_amount
    from events
    where event_type = 'refunded' and last_charge_number is not null
    group by subscription_id, last_charge_number

),

people as (

    select
        person_key,
        person_id
    from {{ ref('int_persons_described') }}
    where not is_excluded

)

select
    orders.order_id,
    orders.kind as order_type,
    'none' as charge_type,
    people.person_key,
    'none' as subscription_id,
    'none' as plan_id,
    'none' as store,
    coalesce(orders.creator_id, 'none') as creator_id,
    coalesce(orders.product_id, 'none') as product_id,
    orders.currency,
    orders.gross_amount,
    orders.refunded_amount,
    orders.ordered_at,
    {{ reporting_date('orders.ordered_at') }} as order_date
from {{ ref('stg_billing__orders') }} as orders
inner join people on orders.user_id = people.person_id
where {{ reporting_date('orders.ordered_at') }} <= {{ as_of_date() }}
union all
-- A refund whose charge is not in the data is an order of nothing: the money left all the same.
select
    'subscription/' || events.event_id as order_id,
    'subscription' as order_type,
    events.event_type as charge_type,
    events.person_key,
    events.subscription_id,
    events.plan_id,
    events.store,
    'none' as creator_id,
    'none' as product_id,
    events.currency,
    case when events.is_charge then events.amount else cast(0 as decimal(18, 6)) end as gross_amount,
    case
        when events.is_charge then coalesce(refunds.refunded_amount, cast(0 as decimal(18, 6)))
        else -events.amount
    end as refunded_amount,
    events.event_at as ordered_at,
    events.event_date as order_date
from events
left join refunds
    on events.subscription_id = refunds.subscription_id
    and case when events.is_charge then events.event_number end = refunds.last_charge_number
where events.is_charge or (events.event_type = 'refunded' and events.last_charge_number is null)
