select
    experiment_id,
    phase,
    segment_key,
    segment_value,
    unit_count,
    leaked_count,
    chi_square,
    p_value,
    adjusted_p_value,
    log_e_value,
    reason
from {{ ref('py_experiment_splits') }}
