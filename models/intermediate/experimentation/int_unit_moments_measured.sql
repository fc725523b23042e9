-- What has a moment of its own and may fall on either side of an exposure on the same day: orders and what
-- subscribers do.
with

orders as (

    select
        person_key,
        creator_id,
        order_date,
        ordered_at,
        is_paid,
        order_type,
        -- An order in a currency without a rate has no dollars; a test of the rates says so.
        coalesce(cast(net_usd as decimal(24, 6)) * 1000000, 0) as net_micros
    from {{ ref('int_orders_unified') }}

)

select
    'user' as unit_type,
    person_key as unit_key,
    order_date as activity_date,
    ordered_at as happened_at,
    {{ measures_from({
        'subscription_orders': "case when is_paid and order_type = 'subscription' then 1 else 0 end",
        'coin_orders': "case when is_paid and order_type = 'coins' then 1 else 0 end",
        'shop_orders': "case when is_paid and order_type = 'shop' then 1 else 0 end",
        'order_micros': "case when order_type <> 'subscription' then net_micros else 0 end",
        'subscription_micros': "case when order_type = 'subscription' then net_micros else 0 end"
    }) }}
from orders
union all
select
    'creator' as unit_type,
    {{ entity_key('creator_id') }} as unit_key,
    order_date as activity_date,
    ordered_at as happened_at,
    {{ measures_from({
        'coin_orders': "case when is_paid and order_type = 'coins' then 1 else 0 end",
        'shop_orders': "case when is_paid and order_type = 'shop' then 1 else 0 end",
        'order_micros': 'net_micros'
    }) }}
from orders
where creator_id <> 'none'
union all
select
    'user' as unit_type,
    person_key as unit_key,
    event_date as activity_date,
    event_at as happened_at,
    {{ measures_from({
        'conversions': "case when event_type in ('trial_started', 'started') then 1 else 0 end",
        'cancellations': "case event_type when 'cancelled' then 1 when 'reenabled' then -1 else 0 end"
    }) }}
from {{ ref('int_subscription_events_sequenced') }}
where event_type in ('trial_started', 'started', 'cancelled', 'reenabled')
