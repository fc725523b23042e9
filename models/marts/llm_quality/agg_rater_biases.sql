select
    counts.rater_id,
    case when counts.is_human = 1 then 'human' else 'judge' end as rater_kind,

    counts.grade_count,
    counts.score_sum,
    {{ safe_divide('counts.score_sum', 'counts.grade_count') }} as rater_mean_score,
    biases.bias as rater_bias,
    biases.bias_low as rater_bias_low,
    biases.bias_high as rater_bias_high,
    biases.adjusted_mean_score as adjusted_rater_mean_score,
    biases.reason
from {{ ref('int_raters_counted') }} as counts
inner join {{ ref('py_rater_biases') }} as biases on counts.rater_id = biases.rater_id
