select
    experiment_id,
    phase,
    variation_id,
    measure,
    control_unit_count,
    treatment_unit_count,
    control_mean,
    treatment_mean,
    standardised_difference,
    p_value,
    reason
from {{ ref('py_experiment_imbalances') }}
