{% macro subscription_runs() %}
    {#- Query of the periods of subscriptions with what is known of their run: the plan it began with (of which it is a
        customer throughout), its last period, whether it lapsed, and when a period is known at the earliest. -#}
    select
        *,
        {{ first_by('plan_id', ['period_number']) }} over (partition by subscription_id, run_number) as first_plan_id,
        max(period_number) over (partition by subscription_id, run_number) as last_number,
        max(case when outcome = 'lapsed' then 1 else 0 end) over (
            partition by subscription_id, run_number
        ) = 1 as is_lapsed,
        -- A renewal charged early may be due before the one it follows; it is known no sooner.
        max(due_date) over (
            partition by subscription_id, run_number order by period_number asc nulls last
            rows between unbounded preceding and current row
        ) as latest_due_date
    from {{ ref('int_subscription_periods') }}
{% endmacro %}
