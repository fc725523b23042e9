select
    ages.segment_dimension,
    ages.segment_value,
    ages.age_days,

    ages.at_risk_count,
    ages.lapsed_count,
    ages.censored_count,
    {{ safe_divide('ages.lapsed_count', 'ages.at_risk_count') }} as lapse_rate,
    curves.survival_rate,
    curves.survival_standard_error,
    curves.survival_low,
    curves.survival_high,
    curves.restricted_mean_days
from {{ ref('int_lifetimes_aggregated_to_ages') }} as ages
inner join {{ ref('py_survival_curves') }} as curves
    on ages.segment_dimension = curves.segment_dimension
    and ages.segment_value = curves.segment_value
    and ages.age_days = curves.age_days
