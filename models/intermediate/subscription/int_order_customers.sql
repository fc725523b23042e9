{{ config(materialized='table') }}

-- Recency, frequency and monetary value of who buys of their own accord. Orders of one day are one purchase; one
-- that cost nothing is an order as well: somebody came and took something.
with

orders as (

    select order_type as order_kind, person_key, order_date, gross_usd, net_usd
    from {{ ref('int_orders_unified') }}
    where order_type in ('coins', 'shop') and is_converted
    union all
    select 'all' as order_kind, person_key, order_date, gross_usd, net_usd
    from {{ ref('int_orders_unified') }}
    where order_type in ('coins', 'shop') and is_converted

),

days as (

    select
        order_kind,
        person_key,
        order_date,
        min(order_date) over (partition by order_kind, person_key) as first_order_date,
        sum(gross_usd) as gross_usd,
        sum(net_usd) as net_usd
    from orders
    group by order_kind, person_key, order_date

),

customers as (

    select
        order_kind,
        person_key,
        first_order_date,
        max(order_date) as last_order_date,
        count(*) - 1 as repeat_days_count,
        coalesce(sum(case when order_date > first_order_date then gross_usd end), 0) as repeat_gross_usd,
        coalesce(sum(case when order_date > first_order_date then net_usd end), 0) as repeat_net_usd
    from days
    group by order_kind, person_key, first_order_date

)

select
    person_key,
    order_kind,
    first_order_date,
    last_order_date,
    repeat_days_count,
    cast({{ day_diff('first_order_date', 'last_order_date') }} as bigint) as recency_days,
    cast({{ day_diff('first_order_date', as_of_date()) }} as bigint) as observed_days,
    cast(repeat_gross_usd as decimal(18, 6)) as repeat_gross_usd,
    cast(repeat_net_usd as decimal(18, 6)) as repeat_net_usd,
    -- Micro-dollars, half up, in whole numbers.
    cast(
        cast(cast(floor({{ safe_divide(
            '2 * cast(floor(cast(repeat_gross_usd as decimal(19, 6)) * 1000000) as bigint) + repeat_days_count',
            '2 * repeat_days_count'
        ) }}) as bigint) as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
    ) as monetary_mean_usd
from customers
