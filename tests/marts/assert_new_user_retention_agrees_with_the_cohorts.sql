{%- set ages = [1, 3, 7, 14, 30] %}
-- The wide table for readers and the long one for heat maps say the same of every day and age.
with

long_cells as (

    {% for age in ages -%}
    select
        cohort_date,
        {{ age }} as first_day,
        new_user_count as cohort_size,
        d{{ age }}_returned_count as returned_count,
        d{{ age }}_retention_rate as retention_rate
    from {{ ref('agg_new_user_retention__daily') }}
    where d{{ age }}_returned_count is not null and new_user_count > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

cells as (

    select * from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'
        and segment_dimension = 'all'
        and retention_kind = 'exact'
        and first_day in ({{ ages | join(', ') }})

)

select
    coalesce(long_cells.cohort_date, cells.cohort_date) as cohort_date,
    coalesce(long_cells.first_day, cells.first_day) as first_day,
    long_cells.cohort_size,
    long_cells.returned_count,
    cells.cohort_size as cell_cohort_size,
    cells.returned_count as cell_returned_count
from long_cells
full outer join cells
    on long_cells.cohort_date = cells.cohort_date
    and long_cells.first_day = cells.first_day
where long_cells.cohort_date is null
    or cells.cohort_date is null
    or long_cells.cohort_size <> cells.cohort_size
    or long_cells.returned_count <> cells.returned_count
    or long_cells.retention_rate <> cells.retention_rate
