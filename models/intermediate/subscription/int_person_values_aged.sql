{{ config(materialized='table') }}

-- What each person brought and cost, by days since the first active day. Someone may pay before the first
-- activity: that counts on day 0.
with

people as (

    select
        person_key,
        first_active_date
    from {{ ref('int_persons_cohorted') }}

),

values_dated as (

    select
        person_key, activity_date, order_count, gross_usd, refunded_usd, store_fee_usd, ad_revenue_usd, llm_cost_usd,
        case when order_count > 0 then 1 else 0 end as is_payment, 0 as is_subscription,
        0 as due_count, 0 as renewed_count
    from {{ ref('int_payments_aggregated_to_person_days') }}
    union all
    select person_key, first_paid_date, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0
    from {{ ref('int_subscriptions_summarised') }}
    where is_ever_paid
    union all
    select
        person_key, due_date, 0, 0, 0, 0, 0, 0, 0, 0,
        1 as due_count, case when outcome = 'renewed' then 1 else 0 end as renewed_count
    from {{ ref('int_subscription_periods') }}
    where outcome in ('renewed', 'lapsed', 'in_grace')

),

aged as (

    select
        values_dated.*,
        cast(greatest(
            {{ day_diff('people.first_active_date', 'values_dated.activity_date') }}, 0
        ) as bigint) as age_days
    from values_dated
    inner join people on values_dated.person_key = people.person_key

),

summed as (

    select
        person_key,
        age_days,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(gross_usd) as decimal(18, 6)) as gross_usd,
        cast(sum(refunded_usd) as decimal(18, 6)) as refunded_usd,
        cast(sum(store_fee_usd) as decimal(18, 6)) as store_fee_usd,
        cast(sum(ad_revenue_usd) as decimal(18, 6)) as ad_revenue_usd,
        cast(sum(llm_cost_usd) as decimal(18, 6)) as llm_cost_usd,
        max(is_payment) as is_payment,
        max(is_subscription) as is_subscription,
        cast(sum(due_count) as bigint) as due_count,
        cast(sum(renewed_count) as bigint) as renewed_count
    from aged
    group by person_key, age_days

),

ranked as (

    select
        *,
        row_number() over (partition by person_key, is_payment order by age_days asc nulls last) as payment_rank,
        row_number() over (
            partition by person_key, is_subscription order by age_days asc nulls last
        ) as subscription_rank
    from summed

)

select
    person_key,
    age_days,
    order_count,
    gross_usd,
    refunded_usd,
    store_fee_usd,
    ad_revenue_usd,
    llm_cost_usd,
    due_count,
    renewed_count,
    -- Counted once a person, on the first such day, so that a sum over ages counts people.
    case when is_payment = 1 and payment_rank = 1 then 1 else 0 end as payer_count,
    case when is_subscription = 1 and subscription_rank = 1 then 1 else 0 end as subscriber_count
from ranked
