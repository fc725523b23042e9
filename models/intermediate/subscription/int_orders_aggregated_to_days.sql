{{ config(materialized='table') }}

with

starts as (

    select distinct
        person_key,
        first_paid_date as order_date
    from {{ ref('int_subscriptions_summarised') }}
    where is_ever_paid

),

-- People before days: a person with three orders is one payer.
person_days as (

    select
        orders.person_key,
        orders.order_date,
        max(case when orders.is_paid then 1 else 0 end) as is_payer,
        max(case when orders.is_paid and orders.order_type = 'coins' then 1 else 0 end) as is_coin_payer,
        sum(case when orders.is_paid then 1 else 0 end) as order_count
        {%- for role in ['first', 'repeat', 'renewal', 'repurchase'] %},
        sum(case when orders.order_role = '{{ role }}' then 1 else 0 end) as {{ role }}_order_count
        {%- endfor %}
        {%- for kind in ['subscription', 'coins', 'shop'] %},
        sum(case when orders.is_paid and orders.order_type = '{{ kind }}' then 1 else 0 end) as {{ kind }}_order_count,
        sum(case when orders.order_type = '{{ kind }}' then orders.net_usd else 0 end) as {{ kind }}_net_usd
        {%- endfor %},
        sum(case when orders.is_converted then 0 else 1 end) as unconverted_order_count,
        sum(case when orders.is_converted and orders.store_fee_usd is null then 1 else 0 end) as feeless_order_count,
        sum(orders.gross_usd) as gross_usd,
        sum(orders.refunded_usd) as refunded_usd,
        sum(orders.store_fee_usd) as store_fee_usd
    from {{ ref('int_orders_unified') }} as orders
    group by orders.person_key, orders.order_date

)

select
    person_days.order_date as activity_date,
    cast(sum(person_days.is_payer) as bigint) as payer_count,
    cast(sum(person_days.is_coin_payer) as bigint) as coin_payer_count,
    count(case when person_days.is_payer = 1 then active_days.person_key end) as active_payer_count,
    count(starts.person_key) as new_subscriber_count,
    {%- for column in ['order', 'first_order', 'repeat_order', 'renewal_order', 'repurchase_order',
        'subscription_order', 'coins_order', 'shop_order', 'unconverted_order',
        'feeless_order'] %}
    cast(sum(person_days.{{ column }}_count) as bigint) as {{ column }}_count,
    {%- endfor %}
    {%- for amount in ['gross', 'refunded', 'store_fee', 'subscription_net', 'coins_net', 'shop_net'] %}
    cast(sum(coalesce(person_days.{{ amount }}_usd, 0)) as decimal(18, 6)) as {{ amount }}_usd,
    {%- endfor %}
    count(case when starts.person_key is not null then active_days.person_key end) as active_new_subscriber_count
from person_days
left join starts
    on person_days.person_key = starts.person_key and person_days.order_date = starts.order_date
left join {{ ref('int_active_days_spined') }} as active_days
    on person_days.person_key = active_days.person_key and person_days.order_date = active_days.activity_date
group by person_days.order_date
