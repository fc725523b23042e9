{{ config(materialized='table') }}

-- What was known of renewals on each day of a forecast, and what has become since of those who were customers then.
-- A run of a subscription is a customer of the plan it began with.
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
        greatest({{ day_diff('started_date', 'due_date') }}, 1) as period_days,
        {{ add_days('latest_due_date', number_var('payment_grace_days')) }} as known_date
    from runs

),

-- Only once grace is over are those who renewed and those who did not known alike.
known as (

    select
        origins.origin_date,
        cut.plan_id,
        cut.period_number - 1 as renewals_made_count,
        count(*) as customer_count,
        count(case when cut.outcome = 'renewed' then 1 end) as kept_count
    from cut
    inner join {{ ref('int_forecast_origins_listed') }} as origins on cut.known_date <= origins.origin_date
    where
        cut.outcome in ('renewed', 'lapsed')
        and (cut.censored_number is null or cut.period_number < cut.censored_number)
    group by origins.origin_date, cut.plan_id, cut.period_number

),

steps as (

    select {{ day_diff('first_date', 'calendar_date') }} + 1 as steps_ahead
    from (
        select
            calendar_date,
            min(calendar_date) over () as first_date
        from {{ ref('int_dates_spined') }}
    ) as days

),

-- Customers in the middle of a period, and each renewal they come to within 91 days if they stay; of past days, those
-- whose outcome is known by now.
later as (

    select
        origins.origin_date,
        cut.plan_id,
        cut.period_number - 1 as renewals_made_count,
        steps.steps_ahead,
        count(*) as customer_count,
        case
            when origins.passed_days > 0 then count(
                    case when cut.last_number >= cut.period_number + steps.steps_ahead or not cut.is_lapsed then 1 end
                )
        end as kept_count
    from cut
    inner join {{ ref('int_forecast_origins_listed') }} as origins
        on cut.started_date <= origins.origin_date
        and cut.due_date > origins.origin_date
        and (cut.ended_date is null or cut.ended_date > origins.origin_date)
    inner join steps
        on {{ day_diff('origins.origin_date', 'cut.due_date') }} + (steps.steps_ahead - 1) * cut.period_days
        <= case
            when origins.passed_days = 0 then 91
            else least(91, origins.passed_days - {{ number_var('payment_grace_days') }})
        end
    where cut.censored_number is null or cut.period_number + steps.steps_ahead <= cut.censored_number
    group by origins.origin_date, origins.passed_days, cut.plan_id, cut.period_number, steps.steps_ahead

)

select
    origin_date, plan_id, false as is_ahead, cast(renewals_made_count as bigint) as renewals_made_count,
    cast(1 as bigint) as steps_ahead, customer_count, kept_count
from known
union all
select
    origin_date, plan_id, true as is_ahead, cast(renewals_made_count as bigint) as renewals_made_count,
    cast(steps_ahead as bigint) as steps_ahead, customer_count, kept_count
from later
