select
    response_id,
    responded_at,
    user_id,
    session_id,
    bot_id,
    feature,
    model_version,
    prompt_tokens,
    completion_tokens,
    latency_ms,
    cost_usd,
    prompt_text,
    source_text,
    response_text,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_llm__responses__judged') }}
where verdict = 'duplicate'
