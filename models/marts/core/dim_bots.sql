select
    bot_id,
    valid_from_date,
    valid_to_date,
    creator_id,
    bot_name,
    bot_name_key,
    workflow,
    model_version,
    created_at,
    is_ai_generated,
    is_current,
    is_registered
from {{ ref('int_bots_versioned') }}
