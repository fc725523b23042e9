-- Every accepted order, charge, refund and answer up to the last complete day is published, or belongs to an
-- account that is no customer. Staging and marts are counted independently of each other.
with

people as (

    select
        person_id,
        is_excluded
    from {{ ref('int_persons_described') }}

),

landed as (

    select
        orders.kind as what,
        orders.currency,
        sum(orders.gross_amount - orders.refunded_amount) as amount,
        count(*) as row_count
    from {{ ref('stg_billing__orders') }} as orders
    inner join people on orders.user_id = people.person_id
    where not people.is_excluded and {{ reporting_date('orders.ordered_at') }} <= {{ as_of_date() }}
    group by orders.kind, orders.currency
    union all
    -- A failed payment may name the amount that was not collected.
    select
        'subscription' as what,
        events.currency,
        sum(case when events.event_type in ('payment_failed', 'cancelled', 'expired') then 0 else events.amount end),
        count(case
            when events.amount > 0 and events.event_type not in ('payment_failed', 'cancelled', 'expired') then 1
        end)
    from {{ ref('stg_billing__subscription_events') }} as events
    inner join people on events.user_id = people.person_id
    where not people.is_excluded and {{ reporting_date('events.event_time') }} <= {{ as_of_date() }}
    group by events.currency
    union all
    select 'answers' as what, 'USD' as currency, sum(responses.cost_usd), 0 as row_count
    from {{ ref('stg_llm__responses') }} as responses
    inner join people on responses.user_id = people.person_id
    where not people.is_excluded and {{ reporting_date('responses.responded_at') }} <= {{ as_of_date() }}

),

published as (

    select
        order_type as what,
        currency,
        sum(net_amount) as amount,
        count(case when is_paid or order_type <> 'subscription' then 1 end) as row_count
    from {{ ref('fct_orders') }}
    group by order_type, currency
    union all
    select 'answers' as what, 'USD' as currency, sum(llm_cost_usd), 0 as row_count
    from {{ ref('agg_unit_economics__monthly') }}
    where margin_dimension = 'bot'

)

select
    coalesce(landed.what, published.what) as what,
    coalesce(landed.currency, published.currency) as currency,
    landed.amount as landed_amount,
    published.amount as published_amount,
    landed.row_count as landed_count,
    published.row_count as published_count
from landed
full outer join published on landed.what = published.what and landed.currency = published.currency
where coalesce(landed.amount, 0) <> coalesce(published.amount, 0)
    or coalesce(landed.row_count, 0) <> coalesce(published.row_count, 0)
