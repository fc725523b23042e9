with

cells as (

    select * from {{ ref('int_retention_cells_matured') }}

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}

)

select
    cells.cohort_grain,
    cells.cohort_date,
    cells.segment_dimension,
    cells.segment_value,
    windows.retention_kind,
    windows.first_day,
    windows.last_day,
    windows.window_name,

    cells.cohort_size,
    cells.returned_count,
    {{ safe_divide('cells.returned_count', 'cells.cohort_size') }} as retention_rate,
    {{ wilson_bound('cells.returned_count', 'cells.cohort_size', 'low') }} as retention_rate_low,
    {{ wilson_bound('cells.returned_count', 'cells.cohort_size', 'high') }} as retention_rate_high,

    cells.cohort_size < {{ number_var('retention_small_cohort_size') }} as is_small,
    -- The cell stands on days up to its last one, of the last member to join.
    {{ is_final(add_days(
        'cells.cohort_date', "windows.last_day + case when cells.cohort_grain = 'week' then 6 else 0 end"
    )) }} as is_final
from cells
inner join windows on cells.window_name = windows.window_name
