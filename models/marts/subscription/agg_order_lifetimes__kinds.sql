with

customers as (

    select * from {{ ref('int_order_customers') }}

),

lifetimes as (

    select * from {{ ref('py_order_lifetimes') }}

),

-- The parameters stand in every row of a kind; doubles are not added up, only decimals are.
kinds as (

    select
        customers.order_kind,
        count(*) as buyer_count,
        count(case when customers.repeat_days_count > 0 then 1 end) as repeat_buyer_count,
        cast(sum(customers.repeat_gross_usd) as decimal(18, 6)) as repeat_gross_usd,
        cast(sum(customers.repeat_net_usd) as decimal(18, 6)) as repeat_net_usd,
        max(lifetimes.order_rate_shape) as order_rate_shape,
        max(lifetimes.order_rate_scale_days) as order_rate_scale_days,
        max(lifetimes.dropout_a) as dropout_a,
        max(lifetimes.dropout_b) as dropout_b,
        max(lifetimes.order_log_likelihood) as order_log_likelihood,
        max(lifetimes.spend_shape) as spend_shape,
        max(lifetimes.spend_scale_shape) as spend_scale_shape,
        max(lifetimes.spend_scale) as spend_scale,
        max(lifetimes.spend_log_likelihood) as spend_log_likelihood,
        max(lifetimes.frequency_spend_correlation) as frequency_spend_correlation,
        sum(cast(lifetimes.expected_orders as decimal(18, 6))) as expected_orders,
        case
            when count(*) = count(lifetimes.lifetime_value_usd)
                then cast(sum(cast(lifetimes.lifetime_value_usd as decimal(18, 6))) as decimal(18, 6))
        end as lifetime_value_usd,
        max(lifetimes.simpler_order_model) as simpler_order_model,
        max(lifetimes.simpler_spend_model) as simpler_spend_model,
        max(lifetimes.missing_reason) as missing_reason
    from customers
    inner join lifetimes
        on customers.person_key = lifetimes.person_key
        and customers.order_kind = lifetimes.order_kind
    group by customers.order_kind

)

select
    order_kind,

    buyer_count,
    repeat_buyer_count,
    repeat_gross_usd,
    repeat_net_usd,
    {{ safe_divide('repeat_net_usd', 'repeat_gross_usd') }} as kept_rate,
    order_rate_shape,
    order_rate_scale_days,
    dropout_a,
    dropout_b,
    order_log_likelihood,
    spend_shape,
    spend_scale_shape,
    spend_scale,
    spend_log_likelihood,
    frequency_spend_correlation,
    cast(expected_orders as double) as expected_orders,
    lifetime_value_usd,
    {{ safe_divide('lifetime_value_usd', 'buyer_count') }} as lifetime_value_per_buyer,
    simpler_order_model,
    simpler_spend_model,
    missing_reason,

    {{ as_of_date() }} as as_of_date
from kinds
