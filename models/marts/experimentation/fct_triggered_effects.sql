select
    paired.experiment_id,
    paired.phase,
    paired.variation_id,
    paired.metric,
    paired.role,
    paired.good_direction,
    paired.control_unit_count,
    paired.treatment_unit_count,
    paired.triggered_control_unit_count,
    paired.triggered_treatment_unit_count,
    found.trigger_rate,
    paired.trigger_ratio_p_value,
    coalesce(
        paired.trigger_ratio_p_value >= {{ number_var('sample_ratio_p_value') }}, false
    ) as is_valid,
    paired.triggered_control_value,
    paired.triggered_difference,
    paired.triggered_low,
    paired.triggered_high,
    paired.triggered_p_value,
    found.diluted_difference,
    found.diluted_low,
    found.diluted_high,
    found.diluted_relative,
    found.diluted_standard_error,
    paired.difference,
    paired.standard_error,
    found.reason
from {{ ref('int_triggered_effects_paired') }} as paired
inner join {{ ref('py_triggered_effects') }} as found
    on paired.experiment_id = found.experiment_id
    and paired.phase = found.phase
    and paired.variation_id = found.variation_id
    and paired.metric = found.metric
