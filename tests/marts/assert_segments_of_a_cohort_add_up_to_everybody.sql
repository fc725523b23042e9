-- Each person has one value of each dimension, so the parts of a cohort are the cohort: in size and in returns.
with

cells as (

    select * from {{ ref('agg_retention__cohorts') }}

),

dimensions as (

    select distinct segment_dimension
    from cells
    where segment_dimension <> 'all'

),

totals as (

    select
        cells.cohort_grain,
        cells.cohort_date,
        dimensions.segment_dimension,
        cells.window_name,
        cells.cohort_size,
        cells.returned_count
    from cells
    inner join {{ ref('retention_windows') }} as named on cells.window_name = named.window_name
    cross join dimensions
    where cells.segment_dimension = 'all'

),

parts as (

    select
        cohort_grain,
        cohort_date,
        segment_dimension,
        window_name,
        sum(cohort_size) as cohort_size,
        sum(returned_count) as returned_count
    from cells
    where segment_dimension <> 'all'
    group by cohort_grain, cohort_date, segment_dimension, window_name

)

select
    coalesce(totals.cohort_grain, parts.cohort_grain) as cohort_grain,
    coalesce(totals.cohort_date, parts.cohort_date) as cohort_date,
    coalesce(totals.segment_dimension, parts.segment_dimension) as segment_dimension,
    coalesce(totals.window_name, parts.window_name) as window_name,
    totals.cohort_size,
    totals.returned_count,
    parts.cohort_size as part_cohort_size,
    parts.returned_count as part_returned_count
from totals
full outer join parts
    on totals.cohort_grain = parts.cohort_grain
    and totals.cohort_date = parts.cohort_date
    and totals.segment_dimension = parts.segment_dimension
    and totals.window_name = parts.window_name
where coalesce(totals.cohort_size, 0) <> coalesce(parts.cohort_size, 0)
    or coalesce(totals.returned_count, 0) <> coalesce(parts.returned_count, 0)
