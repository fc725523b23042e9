select
    plan_id,
    steps_ahead,

    fitted_customer_count,
    customer_count,
    renewed_count,
    {{ safe_divide('renewed_count', 'customer_count') }} as renewed_rate,
    predicted_renewals,
    predicted_renewals_low,
    predicted_renewals_high,
    predicted_renewals - renewed_count as prediction_error,
    {{ safe_divide('predicted_renewals', 'customer_count') }} as predicted_renewed_rate,
    missing_reason,

    is_covered
from {{ ref('py_renewal_holdouts') }}
