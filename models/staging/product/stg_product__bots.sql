select
    bot_id,
    updated_at,
    creator_id,
    name,
    workflow,
    is_ai_generated,
    model_version,
    created_at,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_product__bots__judged') }}
where verdict = 'accepted'
