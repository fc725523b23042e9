select
    action_id,
    creator_id,
    recommendation_id,
    implemented_on,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_creators__recommendation_actions__judged') }}
where verdict = 'quarantined'
