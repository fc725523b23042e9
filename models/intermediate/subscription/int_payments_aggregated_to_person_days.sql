{{ config(materialized='table') }}

-- What a person brought in and cost on a day: orders, advertisements, answers of the models.
with

amounts as (

    select
        person_key,
        order_date as activity_date,
        case when is_paid then 1 else 0 end as order_count,
        case when is_paid and order_type = 'subscription' then 1 else 0 end as subscription_order_count,
        coalesce(gross_usd, 0) as gross_usd,
        coalesce(refunded_usd, 0) as refunded_usd,
        coalesce(store_fee_usd, 0) as store_fee_usd,
        0 as ad_revenue_micros,
        cast(0 as decimal(18, 6)) as llm_cost_usd
    from {{ ref('int_orders_unified') }}
    union all
    select person_key, event_date, 0, 0, 0, 0, 0, ad_revenue_micros, 0
    from {{ ref('int_user_days_classified') }}
    where is_human and ad_revenue_micros > 0
    union all
    select person_key, activity_date, 0, 0, 0, 0, 0, 0, llm_cost_usd
    from {{ ref('int_llm_costs_aggregated_to_days') }}

),

summed as (

    select
        person_key,
        activity_date,
        sum(order_count) as order_count,
        sum(subscription_order_count) as subscription_order_count,
        sum(gross_usd) as gross_usd,
        sum(refunded_usd) as refunded_usd,
        sum(store_fee_usd) as store_fee_usd,
        cast(sum(ad_revenue_micros) as bigint) as ad_revenue_micros,
        sum(llm_cost_usd) as llm_cost_usd
    from amounts
    group by person_key, activity_date

)

select
    person_key,
    activity_date,
    cast(order_count as bigint) as order_count,
    cast(subscription_order_count as bigint) as subscription_order_count,
    cast(gross_usd as decimal(18, 6)) as gross_usd,
    cast(refunded_usd as decimal(18, 6)) as refunded_usd,
    cast(store_fee_usd as decimal(18, 6)) as store_fee_usd,
    cast(
        cast(ad_revenue_micros as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
    ) as ad_revenue_usd,
    cast(llm_cost_usd as decimal(18, 6)) as llm_cost_usd
from summed
