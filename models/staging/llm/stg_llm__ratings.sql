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
    landed_date
from {{ ref('stg_llm__ratings__judged') }}
where verdict = 'accepted'
