select
    found.experiment_id,
    found.phase,
    found.variation_id,
    found.metric,
    metrics.good_direction,
    found.stratum_count,
    found.unit_count,
    found.qini,
    found.qini_low,
    found.qini_high,
    found.p_value,
    coalesce(found.qini_low > 0, false) as is_targeting_worth_it,
    found.reason
from {{ ref('py_uplift_rankings') }} as found
inner join {{ ref('experiment_metrics') }} as metrics on found.metric = metrics.metric
