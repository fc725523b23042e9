{{ config(materialized='table') }}

-- A cell exists as soon as its last day is over for the whole cohort: not yet is no row, and nobody is 0.
with

windows as (

    select * from {{ ref('int_retention_windows_listed') }}

),

returns as (

    select segment_dimension, segment_value, cohort_date, window_name, returned_count
    from {{ ref('int_segment_returns_counted') }}
    union all
    select 'all', 'all', totals.cohort_date, totals.window_name, totals.returned_count
    from {{ ref('int_total_returns_counted') }} as totals
    inner join windows on totals.window_name = windows.window_name and not windows.is_named

),

cohorts as (

    select
        segment_dimension,
        segment_value,
        first_active_date as cohort_date,
        count(*) as cohort_size
    from {{ ref('int_persons_segmented') }}
    group by segment_dimension, segment_value, first_active_date

),

daily as (

    select
        cohorts.cohort_date,
        cast({{ dbt.date_trunc('week', 'cohorts.cohort_date') }} as date) as week_start_date,
        cohorts.segment_dimension,
        cohorts.segment_value,
        windows.window_name,
        windows.last_day,
        cohorts.cohort_size,
        coalesce(returns.returned_count, 0) as returned_count
    from cohorts
    inner join windows on windows.is_named or cohorts.segment_dimension = 'all'
    left join returns
        on cohorts.segment_dimension = returns.segment_dimension
        and cohorts.segment_value = returns.segment_value
        and cohorts.cohort_date = returns.cohort_date
        and windows.window_name = returns.window_name
    where {{ add_days('cohorts.cohort_date', 'windows.last_day') }} <= {{ as_of_date() }}

),

-- Each member keeps the own first day as day 0; a week waits for those who joined on its Sunday.
weekly as (

    select
        week_start_date,
        segment_dimension,
        segment_value,
        window_name,
        cast(sum(cohort_size) as bigint) as cohort_size,
        cast(sum(returned_count) as bigint) as returned_count
    from daily
    where {{ add_days('week_start_date', '6 + last_day') }} <= {{ as_of_date() }}
    group by week_start_date, segment_dimension, segment_value, window_name

)

select 'day' as cohort_grain, cohort_date, segment_dimension, segment_value, window_name, cohort_size, returned_count
from daily
union all
select 'week', week_start_date, segment_dimension, segment_value, window_name, cohort_size, returned_count
from weekly
