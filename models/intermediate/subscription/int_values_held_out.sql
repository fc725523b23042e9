{{ config(materialized='table') }}
{%- set held_out = number_var('lifetime_holdout_days') %}

-- Cohorts as they were known at a past day, and the days since in four stretches: 0 is known, the others bear the
-- last of their days.
with

days as (

    select
        *,
        {{ day_diff('cohort_date', as_of_date()) }} - {{ held_out }} as known_days,
        greatest({{ held_out }} - {{ day_diff('calendar_date', as_of_date()) }}, 0) as later_days
    from {{ ref('int_cohort_days_valued') }}
    where cohort_date <= {{ add_days(as_of_date(), '-' ~ held_out) }}

),

stretched as (

    select
        *,
        cast(floor({{ safe_divide('known_days', 7) }}) as bigint) as weeks_ago,
        cast(floor({{ safe_divide('4 * later_days + ' ~ held_out ~ ' - 1', held_out) }}) as bigint) as stretch
    from days

)

select
    segment_dimension,
    segment_value,
    weeks_ago,
    age_days,
    cast(floor({{ safe_divide('stretch * ' ~ held_out, 4) }}) as bigint) as days_ahead,
    cast(sum(person_count) as bigint) as person_count,
    cast(sum(active_count) as bigint) as active_count,
    cast(sum(revenue_usd) as decimal(18, 6)) as revenue_usd
from stretched
group by segment_dimension, segment_value, weeks_ago, age_days, stretch
