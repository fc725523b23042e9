with

-- Only subscriptions old enough to have been cancelled early.
matured as (

    select
        *,
        cast({{ dbt.date_trunc('month', 'first_paid_date') }} as date) as cohort_month_date
    from {{ ref('int_subscriptions_summarised') }}
    where is_ever_paid and early_until_date <= {{ as_of_date() }}

),

counted as (

    select
        cohort_month_date,
        plan_id,
        count(*) as new_subscription_count,
        count(case when is_cancelled_early then 1 end) as cancelled_early_count,
        count(case when is_early_cancel_undone then 1 end) as undone_cancel_count,
        max(early_until_date) as last_date
    from matured
    group by cohort_month_date, plan_id

)

select
    cohort_month_date,
    plan_id,

    new_subscription_count,
    cancelled_early_count,
    undone_cancel_count,
    cancelled_early_count - undone_cancel_count as kept_early_cancel_count,
    {{ safe_divide('cancelled_early_count - undone_cancel_count', 'new_subscription_count') }} as early_cancel_rate,

    {{ is_final('last_date') }} as is_final
from counted
