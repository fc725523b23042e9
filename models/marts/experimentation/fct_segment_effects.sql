with

effects as (

    select * from {{ ref('py_segment_effects') }}

)

select
    effects.experiment_id,
    effects.phase,
    effects.variation_id,
    effects.metric,
    effects.segment_key,
    effects.segment_value,
    metrics.good_direction,
    effects.control_unit_count,
    effects.treatment_unit_count,
    effects.raw_effect,
    effects.shrunk_effect,
    effects.shrunk_low,
    effects.shrunk_high,
    effects.raw_probability_better,
    effects.probability_better,
    effects.common_effect,
    effects.effect_deviation,
    effects.heterogeneity_p_value
from effects
inner join {{ ref('experiment_metrics') }} as metrics on effects.metric = metrics.metric
