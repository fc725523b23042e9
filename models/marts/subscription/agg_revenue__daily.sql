with

orders as (

    select * from {{ ref('int_orders_aggregated_to_days') }}

),

advertisements as (

    select
        activity_date,
        cast(sum(ad_revenue_usd) as decimal(18, 6)) as ad_revenue_usd
    from {{ ref('int_payments_aggregated_to_person_days') }}
    where ad_revenue_usd > 0
    group by activity_date

),

active_days as (

    select
        activity_date,
        count(*) as active_user_count
    from {{ ref('int_active_days_spined') }}
    group by activity_date

),

-- Bills may be older than the first event: such a day has revenue and no known number of active people.
days as (

    select
        coalesce(calendar.calendar_date, orders.activity_date) as activity_date,
        calendar.calendar_date is not null as is_measured
    from {{ ref('int_dates_spined') }} as calendar
    full outer join orders on calendar.calendar_date = orders.activity_date

),

joined as (

    select
        days.activity_date,
        case when days.is_measured then coalesce(active_days.active_user_count, 0) end as active_user_count
        {%- for column in ['payer', 'active_payer', 'coin_payer', 'new_subscriber', 'active_new_subscriber', 'order',
            'first_order', 'repeat_order', 'renewal_order', 'repurchase_order', 'subscription_order', 'coins_order',
            'shop_order', 'unconverted_order', 'feeless_order'] %},
        coalesce(orders.{{ column }}_count, 0) as {{ column }}_count
        {%- endfor %}
        {%- for amount in ['gross', 'refunded', 'store_fee', 'subscription_net', 'coins_net', 'shop_net'] %},
        coalesce(orders.{{ amount }}_usd, cast(0 as decimal(18, 6))) as {{ amount }}_usd
        {%- endfor %},
        coalesce(advertisements.ad_revenue_usd, cast(0 as decimal(18, 6))) as ad_revenue_usd
    from days
    left join active_days on days.activity_date = active_days.activity_date
    left join orders on days.activity_date = orders.activity_date
    left join advertisements on days.activity_date = advertisements.activity_date

)

select
    activity_date,

    active_user_count,
    payer_count,
    active_payer_count,
    coin_payer_count,
    new_subscriber_count,
    active_new_subscriber_count,

    order_count,
    first_order_count,
    repeat_order_count,
    renewal_order_count,
    repurchase_order_count,
    subscription_order_count,
    coins_order_count,
    shop_order_count,
    unconverted_order_count,
    feeless_order_count,

    gross_usd,
    refunded_usd,
    cast(gross_usd - refunded_usd as decimal(18, 6)) as paid_net_usd,
    subscription_net_usd,
    coins_net_usd,
    shop_net_usd,
    store_fee_usd,
    ad_revenue_usd,
    cast(gross_usd - refunded_usd + ad_revenue_usd as decimal(18, 6)) as revenue_usd,

    {{ safe_divide('gross_usd - refunded_usd + ad_revenue_usd', 'active_user_count') }} as arpu,
    {{ safe_divide('gross_usd - refunded_usd', 'payer_count') }} as arppu,
    {{ safe_divide('ad_revenue_usd', 'active_user_count') }} as ad_arpu,
    {{ safe_divide('payer_count', 'active_user_count') }} as payers_per_active_user,
    {{ safe_divide('active_payer_count', 'active_user_count') }} as payment_rate,
    {{ safe_divide('gross_usd - refunded_usd', 'order_count') }} as average_order_value,
    {{ safe_divide('active_new_subscriber_count', 'active_user_count') }} as subscribe_dau_rate,
    {{ safe_divide('coin_payer_count', 'active_user_count') }} as coin_payers_per_active_user,
    {{ safe_divide('coins_order_count', 'coin_payer_count') }} as coin_orders_per_payer,
    {{ safe_divide('coins_net_usd', 'active_user_count') }} as coin_arpu,

    {{ is_final('activity_date') }} as is_final
from joined
