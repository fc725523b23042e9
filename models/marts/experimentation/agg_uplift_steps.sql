select
    found.experiment_id,
    found.phase,
    found.variation_id,
    found.metric,
    found.tried_half,
    found.step_rank,
    found.stratum,
    found.unit_count,
    found.expected_effect,
    found.measured_effect,
    found.measured_error,
    found.cumulative_share,
    found.cumulative_gain,
    found.random_gain
from {{ ref('py_uplift_steps') }} as found
