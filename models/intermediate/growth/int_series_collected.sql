{{ config(materialized='table') }}

-- The series that are forecast, each with a row a day. Recurring revenue is the balance of the day, so that no day
-- depends on how much of a month is over.
with

rolled as (

    select
        activity_date,
        daily_active_users,
        weekly_active_users,
        row_number() over (order by activity_date asc nulls last) as day_number
    from {{ ref('int_active_users_rolled') }}
    where activity_date <= {{ as_of_date() }}

),

joined as (

    select
        first_active_date,
        count(*) as user_count
    from {{ ref('int_persons_cohorted') }}
    group by first_active_date

),

paid_days as (

    select {{ date_spine_days('first_date', 'last_date') }} as series_date
    from (
        select
            min(first_paid_date) as first_date,
            {{ as_of_date() }} as last_date
        from {{ ref('int_series_payers_stepped') }}
    ) as bounds
    where first_date is not null

),

paid_steps as (

    select step_date, step_usd, step_count from {{ ref('int_series_payers_stepped') }}
    union all
    select series_date, cast(0 as decimal(18, 6)), cast(0 as bigint) from paid_days

),

paid as (

    select
        step_date as series_date,
        sum(sum(step_usd)) over running as mrr_usd,
        sum(sum(step_count)) over running as paying_users
    from paid_steps
    group by step_date
    window running as (order by step_date asc nulls last rows between unbounded preceding and current row)

),

series as (

    select 'daily_active_users' as metric, activity_date as series_date, daily_active_users as series_value
    from rolled
    union all
    -- A week that began before the product did would compare a part with a whole.
    select 'weekly_active_users', activity_date, weekly_active_users from rolled
    where day_number >= 7
    union all
    select 'new_users', rolled.activity_date, coalesce(joined.user_count, 0)
    from rolled
    left join joined on rolled.activity_date = joined.first_active_date
    union all
    select 'paying_users', series_date, paying_users from paid
    union all
    select 'mrr_usd', series_date, mrr_usd from paid

)

select
    metric,
    series_date,
    cast(series_value as decimal(18, 6)) as series_value
from series
