{{ config(materialized='table') }}

with

fees as (

    select
        order_type,
        store,
        fee_rate,
        valid_from_date,
        coalesce(
            {{ add_days(
                'lead(valid_from_date) over (partition by order_type, store order by valid_from_date asc nulls last)', -1
            ) }},
            cast('9999-12-31' as date)
        ) as valid_to_date
    from {{ ref('store_fees') }}

),

converted as (

    select
        orders.*,
        orders.gross_amount > 0 as is_paid,
        rates.usd_per_unit,
        fees.fee_rate,
        -- 19 digits: a product of two shorter decimals would have to fit into 18 on DuckDB.
        cast(cast(orders.gross_amount as decimal(19, 6)) * rates.usd_per_unit as decimal(18, 6)) as gross_usd,
        cast(cast(orders.refunded_amount as decimal(19, 6)) * rates.usd_per_unit as decimal(18, 6)) as refunded_usd
    from {{ ref('int_orders_collected') }} as orders
    left join {{ ref('int_exchange_rates_dated') }} as rates
        on orders.currency = rates.currency
        and orders.order_date between rates.valid_from_date and rates.valid_to_date
    left join fees
        on orders.order_type = fees.order_type
        and orders.store = fees.store
        and orders.order_date between fees.valid_from_date and fees.valid_to_date

),

numbered as (

    select
        *,
        row_number() over paid_orders as person_order_number,
        row_number() over (
            partition by person_key, is_paid, order_type order by ordered_at asc nulls last, order_id asc nulls last
        ) as person_type_number
    from converted
    window paid_orders as (
        partition by person_key, is_paid order by ordered_at asc nulls last, order_id asc nulls last
    )

)

select
    order_id,
    order_type,
    charge_type,
    -- In this order: the first one of a person, what a running subscription charges, a new subscription of
    -- somebody who had one, everything else.
    case
        when not is_paid then 'none'
        when person_order_number = 1 then 'first'
        when charge_type in ('renewed', 'plan_changed') then 'renewal'
        when order_type = 'subscription' and person_type_number > 1 then 'repurchase'
        else 'repeat'
    end as order_role,
    person_key,
    subscription_id,
    plan_id,
    store,
    creator_id,
    product_id,
    currency,
    gross_amount,
    refunded_amount,
    cast(gross_amount - refunded_amount as decimal(18, 6)) as net_amount,
    usd_per_unit,
    gross_usd,
    refunded_usd,
    cast(gross_usd - refunded_usd as decimal(18, 6)) as net_usd,
    -- A store keeps its share of what the customer paid and kept; it pays nothing on a loss.
    cast(
        case when gross_usd < refunded_usd then 0 else cast(gross_usd - refunded_usd as decimal(19, 6)) * fee_rate end
        as decimal(18, 6)
    ) as store_fee_usd,
    is_paid,
    gross_usd is not null as is_converted,
    ordered_at,
    order_date
from numbered
