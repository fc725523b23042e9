{%- set ages = [1, 3, 7, 14, 30] %}
with

days as (

    select * from {{ ref('int_dates_spined') }}

),

cohorts as (

    select
        first_active_date,
        count(*) as new_user_count
    from {{ ref('int_persons_cohorted') }}
    group by first_active_date

),

cells as (

    select
        {%- for age in ages %}
        sum(case when windows.first_day = {{ age }} then cells.returned_count end) as d{{ age }}_returned_count,
        {%- endfor %}
        cells.cohort_date
    from {{ ref('int_retention_cells_matured') }} as cells
    inner join {{ ref('int_retention_windows_listed') }} as windows
        on cells.window_name = windows.window_name and windows.retention_kind = 'exact'
    where cells.cohort_grain = 'day' and cells.segment_dimension = 'all'
    group by cells.cohort_date

),

-- A day without new people is a row: nobody could return, so its rates are null and its counts are 0.
filled as (

    select
        days.calendar_date as cohort_date,
        {%- for age in ages %}
        case
            when {{ add_days('days.calendar_date', age) }} <= {{ as_of_date() }}
                then coalesce(cells.d{{ age }}_returned_count, 0)
        end as d{{ age }}_returned_count,
        {%- endfor %}
        coalesce(cohorts.new_user_count, 0) as new_user_count
    from days
    left join cohorts on days.calendar_date = cohorts.first_active_date
    left join cells on days.calendar_date = cells.cohort_date

)

select
    cohort_date,

    new_user_count,
    {%- for age in ages %}
    cast(d{{ age }}_returned_count as bigint) as d{{ age }}_returned_count,
    {{ safe_divide('d' ~ age ~ '_returned_count', 'new_user_count') }} as d{{ age }}_retention_rate,
    {%- endfor %}

    {{ is_final(add_days('cohort_date', ages | last)) }} as is_final
from filled
