with

pairs as (

    select * from {{ ref('py_experiment_interactions') }}

)

select
    pairs.experiment_id,
    pairs.phase,
    pairs.variation_id,
    pairs.other_experiment_id,
    pairs.other_phase,
    pairs.other_variation_id,
    pairs.metric,
    metrics.good_direction,
    pairs.neither_unit_count,
    pairs.other_unit_count,
    pairs.treated_unit_count,
    pairs.both_unit_count,
    pairs.effect_without_other,
    pairs.effect_beside_other,
    pairs.interaction,
    pairs.standard_error,
    pairs.interaction_low,
    pairs.interaction_high,
    pairs.p_value,
    pairs.adjusted_p_value,
    coalesce(pairs.adjusted_p_value <= 0.05, false) as has_interaction,
    pairs.reason
from pairs
inner join {{ ref('experiment_metrics') }} as metrics on pairs.metric = metrics.metric
