select
    experiment_id,
    phase,
    variation_id,
    metric,
    control_unit_count,
    treatment_unit_count,
    control_value,
    control_deviation,
    mde_relative,
    needed_units_per_arm,
    detectable_relative,
    power,
    reason
from {{ ref('py_experiment_plans') }}
