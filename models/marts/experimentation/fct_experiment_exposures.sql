select
    experiment_id,
    phase,
    unit_type,
    unit_id,
    variation_id,
    first_exposed_at,
    exposure_date,
    last_exposed_at,
    exposure_count,
    variation_count,
    is_multi_exposed,
    is_excluded,
    not is_multi_exposed and not is_excluded as is_analysed
from {{ ref('int_units_assigned') }}
