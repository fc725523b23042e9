-- A weekly cohort is its seven daily ones, and it exists exactly when the window of its Sunday is over.
with

cells as (

    select * from {{ ref('agg_retention__cohorts') }}

),

days as (

    select
        cast({{ dbt.date_trunc('week', 'cohort_date') }} as date) as cohort_date,
        segment_dimension,
        segment_value,
        window_name,
        last_day,
        sum(cohort_size) as cohort_size,
        sum(returned_count) as returned_count
    from cells
    where cohort_grain = 'day'
    group by
        cast({{ dbt.date_trunc('week', 'cohort_date') }} as date),
        segment_dimension,
        segment_value,
        window_name,
        last_day

)

select
    coalesce(days.cohort_date, weeks.cohort_date) as cohort_date,
    coalesce(days.segment_dimension, weeks.segment_dimension) as segment_dimension,
    coalesce(days.segment_value, weeks.segment_value) as segment_value,
    coalesce(days.window_name, weeks.window_name) as window_name,
    days.cohort_size as day_cohort_size,
    days.returned_count as day_returned_count,
    weeks.cohort_size,
    weeks.returned_count
from (
    select *
    from days
    where {{ add_days('cohort_date', '6 + last_day') }} <= {{ as_of_date() }}
) as days
full outer join (
    select *
    from cells
    where cohort_grain = 'week'
) as weeks
    on days.cohort_date = weeks.cohort_date
    and days.segment_dimension = weeks.segment_dimension
    and days.segment_value = weeks.segment_value
    and days.window_name = weeks.window_name
where coalesce(days.cohort_size, 0) <> coalesce(weeks.cohort_size, 0)
    or coalesce(days.returned_count, 0) <> coalesce(weeks.returned_count, 0)
