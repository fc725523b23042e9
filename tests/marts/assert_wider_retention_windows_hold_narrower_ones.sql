-- Who was active on a day of a window was active in the window: no window returns fewer people than a window
-- inside it, and none more than all days or parts of it together hold. Exact <= bracket <= rolling follows, and
-- so does exact = rolling on the last day of the horizon.
with

cells as (

    select * from {{ ref('agg_retention__cohorts') }}

)

select
    wide.cohort_grain,
    wide.cohort_date,
    wide.segment_dimension,
    wide.segment_value,
    wide.window_name,
    wide.cohort_size,
    wide.returned_count,
    max(narrow.cohort_size) as narrow_cohort_size,
    max(narrow.returned_count) as narrow_returned_count,
    sum(case when narrow.retention_kind = 'exact' then narrow.returned_count end) as exact_returned_sum
from cells as wide
inner join cells as narrow
    on wide.cohort_grain = narrow.cohort_grain
    and wide.cohort_date = narrow.cohort_date
    and wide.segment_dimension = narrow.segment_dimension
    and wide.segment_value = narrow.segment_value
    and narrow.first_day between wide.first_day and wide.last_day
    and narrow.last_day between wide.first_day and wide.last_day
where wide.retention_kind <> 'exact'
group by
    wide.cohort_grain,
    wide.cohort_date,
    wide.segment_dimension,
    wide.segment_value,
    wide.window_name,
    wide.cohort_size,
    wide.returned_count
having wide.returned_count < max(narrow.returned_count)
    or min(narrow.cohort_size) <> max(narrow.cohort_size)
    -- Only everybody together has all days of a window.
    or (
        wide.segment_dimension = 'all'
        and wide.returned_count > sum(case when narrow.retention_kind = 'exact' then narrow.returned_count end)
    )
