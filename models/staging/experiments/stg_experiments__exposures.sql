select
    experiment_id,
    variation_id,
    unit_id,
    exposed_at,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_experiments__exposures__judged') }}
where verdict = 'accepted'
