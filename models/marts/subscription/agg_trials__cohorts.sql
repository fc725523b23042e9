with

-- A trial still running is neither converted nor lost.
counted as (

    select
        cast({{ dbt.date_trunc('month', 'trial_started_date') }} as date) as cohort_month_date,
        plan_id,
        count(*) as trial_count,
        count(case when is_decided then 1 end) as decided_trial_count,
        count(case when is_ever_paid then 1 end) as converted_trial_count,
        max(trial_started_date) as last_date
    from {{ ref('int_subscriptions_summarised') }}
    where has_trial
    group by cast({{ dbt.date_trunc('month', 'trial_started_date') }} as date), plan_id

)

select
    cohort_month_date,
    plan_id,

    trial_count,
    decided_trial_count,
    converted_trial_count,
    {{ safe_divide('converted_trial_count', 'decided_trial_count') }} as trial_conversion_rate,

    trial_count = decided_trial_count and {{ is_final('last_date') }} as is_final
from counted
where decided_trial_count > 0
