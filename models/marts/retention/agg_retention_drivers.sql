select
    case effects.outcome
        when 'is_active_on_day_7' then 'retention_day_7'
        when 'is_active_on_last_day' then 'retention_day_{{ number_var("churn_days") }}'
        when 'later_engaged_minutes' then 'engaged_minutes'
        when 'is_converted' then 'conversion'
        when 'is_churned' then 'churn'
    end as outcome,
    effects.feature,
    effects.level,
    effects.driver,
    features.label as feature_label,
    effects.effect_kind,

    effects.person_count,
    effects.outcome_total,
    {{ safe_divide('effects.outcome_total', 'effects.person_count') }} as outcome_mean,
    effects.naive as naive_effect,
    effects.naive_low as naive_effect_low,
    effects.naive_high as naive_effect_high,
    effects.adjusted as adjusted_effect,
    effects.adjusted_low as adjusted_effect_low,
    effects.adjusted_high as adjusted_effect_high,
    effects.contribution as mean_absolute_contribution,
    dense_rank() over (
        partition by effects.outcome order by effects.contribution desc nulls last, effects.feature asc nulls last
    ) as contribution_rank,

    true as is_associational
from {{ ref('py_driver_effects') }} as effects
inner join {{ ref('driver_features') }} as features on effects.feature = features.feature
