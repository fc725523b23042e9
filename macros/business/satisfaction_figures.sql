{% macro satisfaction_figures() %}
    {#- Columns of a slice of rated answers after its keys, from int_satisfaction_summed as sums and py_satisfaction
        as intervals. -#}
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
{% endmacro %}
