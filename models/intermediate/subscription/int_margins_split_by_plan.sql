-- A charge of a subscription belongs to its own plan; everything else to the plan the person is on that day, the
-- latest begun of several, or to none.
with

amounts as (

    select
        person_key,
        order_date as activity_date,
        case when order_type = 'subscription' then plan_id end as plan_id,
        gross_usd,
        refunded_usd,
        store_fee_usd,
        cast(0 as decimal(18, 6)) as ad_revenue_usd,
        cast(0 as decimal(18, 6)) as llm_cost_usd
    from {{ ref('int_orders_unified') }}
    where is_converted
    union all
    select person_key, activity_date, cast(null as string) as plan_id, 0, 0, 0, ad_revenue_usd, llm_cost_usd
    from {{ ref('int_payments_aggregated_to_person_days') }}
    where ad_revenue_usd > 0 or llm_cost_usd > 0

),

days as (

    select
        person_key,
        activity_date,
        plan_id,
        sum(gross_usd) as gross_usd,
        sum(refunded_usd) as refunded_usd,
        sum(store_fee_usd) as store_fee_usd,
        sum(ad_revenue_usd) as ad_revenue_usd,
        sum(llm_cost_usd) as llm_cost_usd
    from amounts
    group by person_key, activity_date, plan_id

),

on_plans as (

    select
        days.person_key,
        days.activity_date,
        {{ first_by('periods.plan_id', ["-" ~ epoch_us('periods.started_at'), 'periods.subscription_id']) }} as plan_id
    from days
    inner join {{ ref('int_subscription_periods') }} as periods
        on days.person_key = periods.person_key
        and days.activity_date >= periods.started_date
        and (periods.ended_date is null or days.activity_date < periods.ended_date)
    where days.plan_id is null
    group by days.person_key, days.activity_date

)

select
    days.activity_date,
    coalesce(days.plan_id, on_plans.plan_id, 'none') as plan_id,
    cast(sum(days.gross_usd) as decimal(18, 6)) as gross_usd,
    cast(sum(days.refunded_usd) as decimal(18, 6)) as refunded_usd,
    cast(sum(days.store_fee_usd) as decimal(18, 6)) as store_fee_usd,
    cast(sum(days.ad_revenue_usd) as decimal(18, 6)) as ad_revenue_usd,
    cast(sum(days.llm_cost_usd) as decimal(18, 6)) as llm_cost_usd
from days
-- Only days without a plan read what stands there.
left join on_plans
    on days.person_key = on_plans.person_key
    and days.activity_date = on_plans.activity_date
group by days.activity_date, coalesce(days.plan_id, on_plans.plan_id, 'none')
