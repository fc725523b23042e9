select
    response_id,
    scorer_version,
    scored_at,
    groundedness,
    number_mismatch,
    citation_missing,
    length_ratio,
    readability,
    repetition,
    is_refusal,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_llm__auto_scores__judged') }}
where verdict = 'accepted'
