select
    creator_id,
    updated_at,
    handle,
    category,
    joined_at,
    target_revenue_usd,
    target_aov_usd,
    target_reach,
    target_cpa_usd,
    target_cpe_usd,
    target_cpv_usd,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_creators__creators__judged') }}
where verdict = 'quarantined'
