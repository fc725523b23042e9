select
    orders.order_id,
    persons.person_id,
    orders.subscription_id,
    orders.creator_id,
    orders.product_id,

    orders.order_type,
    orders.charge_type,
    orders.order_role,
    orders.plan_id,
    orders.store,
    orders.currency,

    orders.gross_amount,
    orders.refunded_amount,
    orders.net_amount,
    orders.usd_per_unit,
    orders.gross_usd,
    orders.refunded_usd,
    orders.net_usd,
    orders.store_fee_usd,

    orders.is_paid,
    orders.is_converted,

    orders.ordered_at,
    orders.order_date
from {{ ref('int_orders_unified') }} as orders
inner join {{ ref('int_persons_described') }} as persons on orders.person_key = persons.person_key
