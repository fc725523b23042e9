{{ config(materialized='table') }}

-- What a person pays a month changes with each paid period that begins or ends; between two changes it stands.
with

changes as (

    select
        person_key,
        started_date as step_date,
        monthly_usd
    from {{ ref('int_subscription_periods') }}
    where monthly_usd > 0 and (ended_date is null or ended_date > started_date)
    union all
    select
        person_key,
        ended_date,
        cast(-monthly_usd as decimal(18, 6)) as monthly_usd
    from {{ ref('int_subscription_periods') }}
    where monthly_usd > 0 and ended_date > started_date

),

summed as (

    select
        person_key,
        step_date,
        cast(sum(monthly_usd) as decimal(18, 6)) as step_usd
    from changes
    where step_date <= {{ as_of_date() }}
    group by person_key, step_date

),

balanced as (

    select
        *,
        sum(step_usd) over (
            partition by person_key order by step_date asc nulls last
            rows between unbounded preceding and current row
        ) as balance_usd,
        min(step_date) over (partition by person_key) as first_paid_date
    from summed

)

-- Two subscriptions make one payer, so people change only when their whole balance appears or vanishes.
select
    person_key,
    first_paid_date,
    step_date,
    step_usd,
    cast(
        case when balance_usd > 0 then 1 else 0 end - case when balance_usd - step_usd > 0 then 1 else 0 end as bigint
    ) as step_count
from balanced
