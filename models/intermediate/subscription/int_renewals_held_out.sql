{#- Days before the last complete day whose renewals a fit must not see. -#}
{%- set held_out_days = number_var('lifetime_holdout_days') %}
-- What was known of renewals at a past day, and what became since of those who were customers then.
with

runs as (

    {{ subscription_runs() }}

),

cut as (

    select
        *,
        min(case when outcome = 'changed' or plan_id <> first_plan_id then period_number end) over (
            partition by subscription_id, run_number
        ) as censored_number,
        {{ add_days(as_of_date(), '-' ~ held_out_days) }} as known_date,
        {{ day_diff('started_date', 'due_date') }} as period_days,
        {{ day_diff('due_date', as_of_date()) }} - {{ number_var('payment_grace_days') }} as days_since,
        {{ day_diff('latest_due_date', as_of_date()) }} - {{ number_var('payment_grace_days') }} as known_days
    from runs

),

-- Only once grace is over are those who renewed and those who did not known alike.
known as (

    select
        plan_id,
        period_number - 1 as renewals_made_count,
        count(*) as customer_count,
        count(case when outcome = 'renewed' then 1 end) as renewed_count
    from cut
    where
        known_days >= {{ held_out_days }}
        and outcome in ('renewed', 'lapsed')
        and (censored_number is null or period_number < censored_number)
    group by plan_id, period_number

),

steps as (

    select {{ day_diff(add_days(as_of_date(), '-' ~ held_out_days), 'calendar_date') }} as steps_ahead
    from {{ ref('int_dates_spined') }}
    where calendar_date > {{ add_days(as_of_date(), '-' ~ held_out_days) }}

),

-- Customers in the middle of a period at that day, and each renewal they would have come to since had they stayed.
-- Whoever did not lapse before made it.
later as (

    select
        cut.plan_id,
        cut.period_number - 1 as renewals_made_count,
        steps.steps_ahead,
        count(*) as customer_count,
        count(
            case when cut.last_number >= cut.period_number + steps.steps_ahead or not cut.is_lapsed then 1 end
        ) as renewed_count
    from cut
    inner join steps on cut.days_since >= (steps.steps_ahead - 1) * cut.period_days
    where
        cut.started_date <= cut.known_date
        and cut.due_date > cut.known_date
        and (cut.ended_date is null or cut.ended_date > cut.known_date)
        and (cut.censored_number is null or cut.period_number + steps.steps_ahead <= cut.censored_number)
    group by cut.plan_id, cut.period_number, steps.steps_ahead

)

select
    plan_id,
    false as is_held_out,
    cast(renewals_made_count as bigint) as renewals_made_count,
    cast(1 as bigint) as steps_ahead,
    customer_count,
    renewed_count
from known
union all
select
    plan_id,
    true as is_held_out,
    cast(renewals_made_count as bigint) as renewals_made_count,
    cast(steps_ahead as bigint) as steps_ahead,
    customer_count,
    renewed_count
from later
