select
    anonymous_id,
    user_id,
    linked_at,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_product__identity_links__judged') }}
where verdict = 'quarantined'
