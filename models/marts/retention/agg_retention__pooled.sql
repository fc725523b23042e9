with

cells as (

    select * from {{ ref('int_retention_cells_matured') }}
    where cohort_grain = 'day'

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}

),

-- Only days whose cohorts are mature for this window enter, above and below the line alike: a young cohort in
-- the denominator would look like people who left.
scoped as (

    select
        'all' as cohort_scope,
        cells.*
    from cells
    union all
    select
        'trailing_28_days' as cohort_scope,
        cells.*
    from cells
    inner join windows on cells.window_name = windows.window_name
    where {{ add_days('cells.cohort_date', '28 + windows.last_day') }} > {{ as_of_date() }}

),

summed as (

    select
        cohort_scope,
        segment_dimension,
        segment_value,
        window_name,
        min(cohort_date) as first_cohort_date,
        max(cohort_date) as last_cohort_date,
        count(*) as cohort_count,
        cast(sum(cohort_size) as bigint) as cohort_size,
        cast(sum(returned_count) as bigint) as returned_count
    from scoped
    group by cohort_scope, segment_dimension, segment_value, window_name

)

select
    summed.cohort_scope,
    summed.segment_dimension,
    summed.segment_value,
    windows.retention_kind,
    windows.first_day,
    windows.last_day,
    windows.window_name,

    summed.first_cohort_date,
    summed.last_cohort_date,
    summed.cohort_count,
    summed.cohort_size,
    summed.returned_count,
    {{ safe_divide('summed.returned_count', 'summed.cohort_size') }} as retention_rate,
    {{ wilson_bound('summed.returned_count', 'summed.cohort_size', 'low') }} as retention_rate_low,
    {{ wilson_bound('summed.returned_count', 'summed.cohort_size', 'high') }} as retention_rate_high,

    summed.cohort_size < {{ number_var('retention_small_cohort_size') }} as is_small,
    {{ is_final(add_days('summed.last_cohort_date', 'windows.last_day')) }} as is_final
from summed
inner join windows on summed.window_name = windows.window_name
