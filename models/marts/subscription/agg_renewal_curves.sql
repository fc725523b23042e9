select
    plan_id,
    renewal_number,

    at_risk_count,
    at_risk_count - lost_count as renewed_count,
    lost_count,
    {{ safe_divide('at_risk_count - lost_count', 'at_risk_count') }} as renewal_rate,
    observed_survival_rate,
    observed_survival_low,
    observed_survival_high,
    fitted_renewal_rate,
    fitted_renewal_low,
    fitted_renewal_high,
    fitted_survival_rate,
    fitted_survival_low,
    fitted_survival_high,
    missing_reason,

    at_risk_count > 0 as is_observed
from {{ ref('py_renewal_curves') }}
