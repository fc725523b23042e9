select
    experiment_id,
    phase,
    variation_id,
    variation_number,
    is_control,
    is_registered,
    cast(expected_weight as double) as expected_weight,
    {{ safe_divide('expected_weight', 'sum(expected_weight) over (partition by experiment_id, phase)') }}
        as expected_share
from {{ ref('int_experiment_variations_listed') }}
