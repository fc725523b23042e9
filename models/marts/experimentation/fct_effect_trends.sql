select
    found.experiment_id,
    found.phase,
    found.variation_id,
    found.metric,
    metrics.good_direction,
    found.trend,
    found.day_count,
    found.first_effect,
    found.last_effect,
    found.slope_per_day,
    found.slope_error,
    found.p_value,
    found.reason
from {{ ref('py_effect_trends') }} as found
inner join {{ ref('experiment_metrics') }} as metrics on found.metric = metrics.metric
