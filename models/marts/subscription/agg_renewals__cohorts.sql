with

periods as (

    select
        *,
        min(started_date) over (partition by subscription_id, run_number) as run_started_date,
        min(case when period_number = 1 then plan_id end) over (
            partition by subscription_id, run_number
        ) as first_plan_id
    from {{ ref('int_subscription_periods') }}

),

counted as (

    select
        cast({{ dbt.date_trunc('month', 'run_started_date') }} as date) as cohort_month_date,
        first_plan_id as plan_id,
        period_number,
        count(*) as period_count,
        count(case when outcome = 'not_due' then 1 end) as not_due_count,
        count(case when outcome = 'changed' then 1 end) as changed_count,
        -- Counted by the calendar, apart from what became of them.
        count(case when outcome <> 'changed' and due_date <= {{ as_of_date() }} then 1 end) as due_count,
        count(case when outcome = 'renewed' then 1 end) as renewed_count,
        count(case when outcome = 'lapsed' then 1 end) as lapsed_count,
        count(case when outcome = 'lapsed' and lapse_reason = 'voluntary' then 1 end) as voluntary_lapsed_count,
        count(case when outcome = 'lapsed' and lapse_reason = 'payment_failed' then 1 end)
            as payment_failed_lapsed_count,
        count(case when outcome = 'lapsed' and lapse_reason = 'refunded' then 1 end) as refunded_lapsed_count,
        count(case when outcome = 'in_grace' then 1 end) as in_grace_count,
        max(due_date) as last_due_date
    from periods
    group by cast({{ dbt.date_trunc('month', 'run_started_date') }} as date), first_plan_id, period_number

)

select
    cohort_month_date,
    plan_id,
    period_number,

    period_count,
    not_due_count,
    changed_count,
    due_count,
    renewed_count,
    lapsed_count,
    in_grace_count,
    voluntary_lapsed_count,
    payment_failed_lapsed_count,
    refunded_lapsed_count,
    lapsed_count - voluntary_lapsed_count - payment_failed_lapsed_count - refunded_lapsed_count as other_lapsed_count,
    {{ safe_divide('renewed_count', 'due_count') }} as renewal_rate,
    {{ safe_divide('voluntary_lapsed_count', 'due_count') }} as voluntary_lapse_rate,
    {{ safe_divide('payment_failed_lapsed_count', 'due_count') }} as payment_failed_lapse_rate,

    not_due_count = 0 and in_grace_count = 0 and {{ is_final('last_due_date') }} as is_final
from counted
-- A period nobody has come to the end of yet says nothing about renewal.
where due_count > 0
