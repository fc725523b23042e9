select
    outcome,

    high_person_count,
    high_success_count,
    {{ safe_divide('high_success_count', 'high_person_count') }} as high_success_rate,
    low_person_count,
    low_success_count,
    {{ safe_divide('low_success_count', 'low_person_count') }} as low_success_rate,
    naive_difference,
    naive_difference_low,
    naive_difference_high,
    adjusted_difference,
    adjusted_difference_low,
    adjusted_difference_high,
    compared_share,
    e_value,
    reason,
    -- No lot decided who is satisfied: what differs beside the rating is only as equal as the strata make it.
    'associational' as evidence_kind
from {{ ref('py_rating_links') }}
