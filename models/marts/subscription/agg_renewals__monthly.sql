with

counted as (

    select
        cast({{ dbt.date_trunc('month', 'due_date') }} as date) as due_month_date,
        plan_id,
        count(*) as due_count,
        count(case when outcome = 'renewed' then 1 end) as renewed_count,
        count(case when outcome = 'lapsed' then 1 end) as lapsed_count,
        count(case when outcome = 'lapsed' and lapse_reason = 'voluntary' then 1 end) as voluntary_lapsed_count,
        count(case when outcome = 'lapsed' and lapse_reason = 'payment_failed' then 1 end)
            as payment_failed_lapsed_count,
        count(case when outcome = 'in_grace' then 1 end) as in_grace_count
    from {{ ref('int_subscription_periods') }}
    -- By the calendar, apart from what became of them.
    where outcome <> 'changed' and due_date <= {{ as_of_date() }}
    group by cast({{ dbt.date_trunc('month', 'due_date') }} as date), plan_id

),

ended as (

    select
        *,
        {{ add_days('cast(' ~ dbt.date_trunc('month', add_days('due_month_date', 31)) ~ ' as date)', -1) }}
            as month_last_date
    from counted

)

select
    due_month_date,
    plan_id,

    due_count,
    renewed_count,
    lapsed_count,
    in_grace_count,
    voluntary_lapsed_count,
    payment_failed_lapsed_count,
    lapsed_count - voluntary_lapsed_count - payment_failed_lapsed_count as other_lapsed_count,
    {{ safe_divide('renewed_count', 'due_count') }} as due_renewal_rate,
    {{ safe_divide('lapsed_count', 'due_count') }} as due_lapse_rate,

    month_last_date <= {{ as_of_date() }} as is_complete_month,
    in_grace_count = 0 and {{ is_final('month_last_date') }} as is_final
from ended
