select
    experiment_id,
    phase,
    variation_id,
    name,
    unit_type,
    is_control,
    expected_weight,
    started_at,
    planned_end_at,
    planned_units,
    mde_relative,
    ended_at,
    status,
    tags,
    hypothesis,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_experiments__experiments__judged') }}
where verdict = 'duplicate'
