select
    sums.slice_dimension,
    sums.slice_value,
    sums.window_end_date,
    cast(sums.window_days as integer) as window_days,

    {{ satisfaction_figures() }}
from {{ ref('int_satisfaction_summed') }} as sums
inner join {{ ref('py_satisfaction') }} as intervals
    on sums.window_days = intervals.window_days
    and sums.day_number = intervals.day_number
    and sums.slice_dimension = intervals.slice_dimension
    and sums.slice_value = intervals.slice_value
where sums.window_days > 1
