-- Above and below the line stand the same mature cohorts.
with

cells as (

    select
        segment_dimension,
        segment_value,
        window_name,
        cohort_date,
        cohort_size,
        returned_count,
        {{ day_diff(add_days('cohort_date', 'last_day'), as_of_date()) }} < 28 as is_trailing
    from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'

),

summed as (

    select
        pooled.cohort_scope,
        pooled.segment_dimension,
        pooled.segment_value,
        pooled.window_name,
        max(pooled.cohort_size) as cohort_size,
        max(pooled.returned_count) as returned_count,
        max(pooled.cohort_count) as cohort_count,
        sum(cells.cohort_size) as summed_cohort_size,
        sum(cells.returned_count) as summed_returned_count,
        count(cells.cohort_date) as summed_cohort_count
    from {{ ref('agg_retention__pooled') }} as pooled
    left join cells
        on pooled.segment_dimension = cells.segment_dimension
        and pooled.segment_value = cells.segment_value
        and pooled.window_name = cells.window_name
        and (pooled.cohort_scope = 'all' or cells.is_trailing)
    group by pooled.cohort_scope, pooled.segment_dimension, pooled.segment_value, pooled.window_name

),

-- Nothing is left out either.
missing as (

    select distinct
        cells.segment_dimension,
        cells.segment_value,
        cells.window_name
    from cells
    left join {{ ref('agg_retention__pooled') }} as pooled
        on cells.segment_dimension = pooled.segment_dimension
        and cells.segment_value = pooled.segment_value
        and cells.window_name = pooled.window_name
        and pooled.cohort_scope = 'all'
    where pooled.window_name is null

)

select
    cohort_scope,
    segment_dimension,
    segment_value,
    window_name
from summed
where coalesce(summed_cohort_size, 0) <> cohort_size
    or coalesce(summed_returned_count, 0) <> returned_count
    or summed_cohort_count <> cohort_count
union all
select
    'missing' as cohort_scope,
    segment_dimension,
    segment_value,
    window_name
from missing
