select
    found.experiment_id,
    found.phase,
    found.variation_id,
    found.metric,
    found.age_days,
    metrics.good_direction,
    found.control_unit_count,
    found.treatment_unit_count,
    found.control_value,
    found.treatment_value,
    found.difference,
    found.standard_error,
    found.difference_low,
    found.difference_high,
    found.relative_difference,
    found.relative_error,
    found.reason
from {{ ref('py_age_effects') }} as found
inner join {{ ref('experiment_metrics') }} as metrics on found.metric = metrics.metric
