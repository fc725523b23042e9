-- Who is active on a day is active in the week that ends with it, in every forecast and scenario.
with

told as (

    select 'forecast' as scenario, metric, target_date, p10, p50, p90 from {{ ref('fct_forecasts') }}
    union all
    select scenario, metric, target_date, p10, p50, p90 from {{ ref('fct_scenarios') }}

)

select
    days.scenario,
    days.target_date,
    days.p50 as daily_p50,
    weeks.p50 as weekly_p50
from told as days
inner join told as weeks
    on days.scenario = weeks.scenario
    and days.target_date = weeks.target_date
    and days.metric = 'daily_active_users'
    and weeks.metric = 'weekly_active_users'
where days.p10 > weeks.p10 or days.p50 > weeks.p50 or days.p90 > weeks.p90
