-- What came, as the back-test has it, is what the marts of the day say: actives, new people, and recurring revenue
-- and payers at the end of each month.
with

published as (

    select 'daily_active_users' as metric, activity_date as target_date, daily_active_users as value
    from {{ ref('agg_active_users__daily') }}
    union all
    select 'weekly_active_users', activity_date, weekly_active_users from {{ ref('agg_active_users__daily') }}
    union all
    select 'new_users', activity_date, new_user_count from {{ ref('agg_growth_accounting__daily') }}
    where window_days = 1
    union all
    select 'mrr_usd', balance_date, sum(closing_usd) from {{ ref('int_account_months') }}
    group by balance_date
    union all
    select 'paying_users', balance_date, count(case when closing_usd > 0 then 1 end)
    from {{ ref('int_account_months') }}
    group by balance_date

)

select
    backtests.metric,
    backtests.origin_date,
    backtests.target_date,
    backtests.actual_value,
    published.value
from {{ ref('fct_forecast_backtests') }} as backtests
inner join published on backtests.metric = published.metric and backtests.target_date = published.target_date
where backtests.actual_value <> cast(coalesce(published.value, -1) as decimal(18, 6))
