select
    sums.slice_dimension,
    sums.slice_value,

    sums.graded_count,
    sums.refused_count,
    {{ safe_divide('sums.refused_count', 'sums.graded_count') }} as graded_refusal_rate,
    sums.hallucinated_count,
    sums.graded_count - sums.refused_count - sums.hallucinated_count as supported_count,
    {{ safe_divide('sums.hallucinated_count', 'sums.graded_count') }} as hallucination_rate,
    rates.hallucination_rate_low,
    rates.hallucination_rate_high,

    sums.judged_count,
    sums.judge_flag_count,
    {{ safe_divide('sums.judge_flag_count', 'sums.judged_count') }} as judge_flag_rate,
    sums.paired_count,
    sums.flagged_hallucination_count,
    sums.missed_hallucination_count,
    sums.flagged_supported_count,
    sums.passed_supported_count,
    rates.judge_sensitivity,
    rates.judge_specificity,
    rates.judge_weight,
    rates.corrected_rate as corrected_hallucination_rate,
    rates.corrected_rate_low as corrected_hallucination_rate_low,
    rates.corrected_rate_high as corrected_hallucination_rate_high,
    rates.rogan_gladen_rate,
    rates.rogan_gladen_rate_low,
    rates.rogan_gladen_rate_high
from {{ ref('int_grades_summed') }} as sums
inner join {{ ref('py_judged_rates') }} as rates
    on sums.slice_dimension = rates.slice_dimension and sums.slice_value = rates.slice_value
