{{ config(materialized='table') }}
{#- Days before the last complete day whose orders a fit must not see. -#}
{%- set held_out_days = number_var('lifetime_holdout_days') %}
-- Buyers as they were known at a past day, and what they bought since. Orders of one day are one purchase,
-- those that cost nothing among them.
with

kinds as (

    select order_type, order_type as order_kind
    from {{ ref('int_orders_unified') }}
    where order_type in ('coins', 'shop')
    union
    select order_type, 'all' as order_kind
    from {{ ref('int_orders_unified') }}
    where order_type in ('coins', 'shop')

),

days as (

    select
        kinds.order_kind,
        orders.person_key,
        orders.order_date,
        orders.order_date > {{ add_days(as_of_date(), '-' ~ held_out_days) }} as is_later,
        min(orders.order_date) over (partition by kinds.order_kind, orders.person_key) as first_order_date,
        sum(orders.gross_usd) as gross_usd
    from {{ ref('int_orders_unified') }} as orders
    inner join kinds on orders.order_type = kinds.order_type
    where orders.is_converted
    group by kinds.order_kind, orders.person_key, orders.order_date

)

select
    person_key,
    order_kind,
    count(case when not is_later and order_date > first_order_date then 1 end) as repeat_days_count,
    cast(
        max(case when not is_later then {{ day_diff('first_order_date', 'order_date') }} end) as bigint
    ) as recency_days,
    cast({{ day_diff('first_order_date', as_of_date()) }} - {{ held_out_days }} as bigint) as observed_days,
    cast(
        sum(case when not is_later and order_date > first_order_date then gross_usd end) as decimal(18, 6)
    ) as repeat_gross_usd,
    cast({{ held_out_days }} as bigint) as held_out_days,
    count(case when is_later then 1 end) as later_days_count,
    cast(coalesce(sum(case when is_later then gross_usd end), 0) as decimal(18, 6)) as later_gross_usd
from days
where first_order_date <= {{ add_days(as_of_date(), '-' ~ held_out_days) }}
group by person_key, order_kind, first_order_date
