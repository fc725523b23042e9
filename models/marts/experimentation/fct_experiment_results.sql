with

results as (

    select * from {{ ref('py_experiment_results') }}

),

metrics as (

    select
        metric,
        good_direction,
        unit
    from {{ ref('experiment_metrics') }}

)

select
    results.experiment_id,
    results.phase,
    results.variation_id,
    results.control_variation_id,
    results.metric,
    results.segment_key,
    results.segment_value,
    results.cohort,
    results.method,
    results.kind,
    results.role,
    results.is_primary,
    metrics.good_direction,
    metrics.unit,
    {%- for column in [
        'control_unit_count', 'treatment_unit_count', 'control_numerator', 'control_denominator', 'control_value',
        'treatment_numerator', 'treatment_denominator', 'treatment_value', 'difference', 'standard_error',
        'difference_low', 'difference_high', 'relative_difference', 'relative_low', 'relative_high',
        'relative_method', 'p_value', 'p_value_log10', 'adjusted_p_value', 'adjustment', 'probability_better',
        'loss_if_shipped', 'loss_if_kept', 'credible_low', 'credible_high', 'variance_reduction', 'is_clt_weak',
        'direction', 'reason', 'relative_reason'
    ] %}
    results.{{ column }},
    {%- endfor %}
    {{ as_of_date() }} as as_of_date
from results
inner join metrics on results.metric = metrics.metric
