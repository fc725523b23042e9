{{ config(materialized='table') }}

-- Who was there at the beginning of each paid period, and who went on to the next. A run of a subscription is a
-- customer; it belongs to the plan and month of its first period.
with

runs as (

    select
        *,
        {{ first_by('plan_id', ['period_number']) }} over (partition by subscription_id, run_number) as first_plan_id,
        min(started_date) over (partition by subscription_id, run_number) as first_started_date,
        -- A renewal charged early may be due before the one it follows; it is known no sooner.
        max(due_date) over (
            partition by subscription_id, run_number order by period_number asc nulls last
            rows between unbounded preceding and current row
        ) as latest_due_date
    from {{ ref('int_subscription_periods') }}

),

judged as (

    select
        *,
        -- Not due, or gone on under another plan: what became of the customer here is not known. A renewal is
        -- known at once and a lapse only after grace: before that neither counts, or renewal would look too high.
        outcome not in ('renewed', 'lapsed')
        or plan_id <> first_plan_id
        or {{ day_diff('latest_due_date', as_of_date()) }} < {{ number_var('payment_grace_days') }} as is_censored
    from runs

),

cut as (

    select
        *,
        min(case when is_censored then period_number end) over (
            partition by subscription_id, run_number
        ) as censored_number
    from judged

)

select
    first_plan_id as plan_id,
    cast({{ dbt.date_trunc('month', 'first_started_date') }} as date) as cohort_month_date,
    period_number,
    count(*) as customer_count,
    count(case when not is_censored and outcome = 'renewed' then 1 end) as survivor_count,
    count(case when not is_censored and outcome = 'lapsed' then 1 end) as lost_count,
    count(case when is_censored then 1 end) as censored_count
from cut
where censored_number is null or period_number <= censored_number
group by
    first_plan_id,
    cast({{ dbt.date_trunc('month', 'first_started_date') }} as date),
    period_number
