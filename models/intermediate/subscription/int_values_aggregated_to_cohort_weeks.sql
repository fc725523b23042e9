{{ config(materialized='table') }}

-- Weeks are counted back from the last complete day, so that each is whole.
with

days as (

    select
        *,
        cast(floor({{ safe_divide(day_diff('cohort_date', as_of_date()), 7) }}) as bigint) as weeks_ago
    from {{ ref('int_cohort_days_valued') }}

)

select
    segment_dimension,
    segment_value,
    weeks_ago,
    age_days,
    cast(sum(person_count) as bigint) as person_count,
    cast(sum(active_count) as bigint) as active_count,
    cast(sum(revenue_usd) as decimal(18, 6)) as revenue_usd
from days
group by segment_dimension, segment_value, weeks_ago, age_days
