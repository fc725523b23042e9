-- How long a period of a plan is, and what a charge of it brings. A change of plan covers the rest of a period,
-- so it says nothing of its length.
with

periods as (

    select
        plan_id,
        count(*) as period_count,
        cast(sum(greatest({{ day_diff('started_date', 'due_date') }}, 1)) as bigint) as period_days_sum
    from {{ ref('int_subscription_periods') }}
    where charge_type <> 'plan_changed'
    group by plan_id

),

charges as (

    select
        plan_id,
        count(*) as charge_count,
        cast(sum(gross_usd) as decimal(18, 6)) as gross_usd,
        cast(sum(refunded_usd) as decimal(18, 6)) as refunded_usd,
        cast(sum(net_usd) as decimal(18, 6)) as net_usd,
        cast(sum(store_fee_usd) as decimal(18, 6)) as store_fee_usd
    from {{ ref('int_orders_unified') }}
    where order_type = 'subscription' and charge_type <> 'plan_changed' and is_paid and is_converted
    group by plan_id

)

select
    periods.plan_id,
    periods.period_count,
    periods.period_days_sum,
    {{ safe_divide('periods.period_days_sum', 'periods.period_count') }} as period_days,
    coalesce(charges.charge_count, 0) as charge_count,
    charges.gross_usd,
    charges.refunded_usd,
    charges.net_usd,
    charges.store_fee_usd
from periods
left join charges on periods.plan_id = charges.plan_id
