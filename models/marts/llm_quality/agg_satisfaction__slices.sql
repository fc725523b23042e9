select
    sums.slice_dimension,
    sums.slice_value,
    sums.window_end_date,
    cast(sums.window_days as integer) as window_days,

    sums.asking_user_count,
    sums.answer_count,
    sums.rated_count,
    sums.rating_user_count,
    {{ safe_divide('sums.rated_count', 'sums.answer_count') }} as rating_rate,
    sums.low_count,
    {{ safe_divide('sums.low_count', 'sums.rated_count') }} as low_rating_rate,
    sums.score_sum,
    {{ safe_divide('sums.score_sum', 'sums.rated_count') }} as mean_score,
    intervals.mean_score_low,
    intervals.mean_score_high,
    cast(sums.weighted_score_sum as decimal(38, 0)) as weighted_score_sum,
    cast(sums.weight_sum as decimal(38, 0)) as weight_sum,
    {{ safe_divide('sums.weighted_score_sum', 'sums.weight_sum') }} as reweighted_mean_score,
    intervals.reweighted_mean_score_low,
    intervals.reweighted_mean_score_high,
    intervals.shrunk_mean_score,
    intervals.shrunk_mean_score_low,
    intervals.shrunk_mean_score_high,

    {{ is_final('sums.window_end_date') }} as is_final
from {{ ref('int_satisfaction_summed') }} as sums
inner join {{ ref('py_satisfaction') }} as intervals
    on sums.window_days = intervals.window_days
    and sums.day_number = intervals.day_number
    and sums.slice_dimension = intervals.slice_dimension
    and sums.slice_value = intervals.slice_value
where sums.window_days > 1
