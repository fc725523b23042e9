-- Nobody joins a cohort of subscriptions late and nobody vanishes between two periods.
with

survivors as (

    select
        plan_id,
        cohort_month_date,
        period_number,
        customer_count,
        survivor_count,
        lead(customer_count) over (
            partition by plan_id, cohort_month_date order by period_number asc nulls last
        ) as next_customer_count,
        row_number() over (
            partition by plan_id, cohort_month_date order by period_number asc nulls last
        ) as place
    from {{ ref('int_subscription_survivors') }}

)

select
    plan_id,
    cohort_month_date,
    period_number,
    survivor_count,
    next_customer_count
from survivors
where survivor_count <> coalesce(next_customer_count, 0) or period_number <> place
