select
    rating_id,
    response_id,
    rater_id,
    rater_kind,
    rated_at,
    score,
    is_hallucination,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_llm__ratings__judged') }}
where verdict = 'quarantined'
