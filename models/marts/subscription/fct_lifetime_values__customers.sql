select
    persons.person_id,
    customers.order_kind,

    customers.repeat_days_count,
    customers.recency_days,
    customers.observed_days,
    customers.repeat_gross_usd,
    customers.monetary_mean_usd,
    lifetimes.alive_rate,
    lifetimes.alive_low,
    lifetimes.alive_high,
    lifetimes.expected_orders,
    lifetimes.expected_orders_low,
    lifetimes.expected_orders_high,
    cast(lifetimes.expected_spend_usd as decimal(18, 6)) as expected_spend_usd,
    cast(lifetimes.lifetime_value_usd as decimal(18, 6)) as lifetime_value_usd,
    cast(lifetimes.lifetime_value_low_usd as decimal(18, 6)) as lifetime_value_low_usd,
    cast(lifetimes.lifetime_value_high_usd as decimal(18, 6)) as lifetime_value_high_usd,
    lifetimes.missing_reason,

    customers.first_order_date,
    customers.last_order_date,
    {{ as_of_date() }} as as_of_date
from {{ ref('int_order_customers') }} as customers
inner join {{ ref('py_order_lifetimes') }} as lifetimes
    on customers.person_key = lifetimes.person_key
    and customers.order_kind = lifetimes.order_kind
inner join {{ ref('int_persons_described') }} as persons on customers.person_key = persons.person_key
