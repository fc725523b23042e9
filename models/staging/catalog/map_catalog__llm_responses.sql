-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('llm_responses', mapped=['session_id']); all others must be there in a fitting type.
select
    cast(response_id as string) as response_id,
    cast(responded_at as timestamp) as responded_at,
    cast(user_id as string) as user_id,
    cast(session_id as string) as session_id,
    cast(bot_id as string) as bot_id,
    cast(feature as string) as feature,
    cast(model_version as string) as model_version,
    cast(prompt_tokens as bigint) as prompt_tokens,
    cast(completion_tokens as bigint) as completion_tokens,
    cast(latency_ms as bigint) as latency_ms,
    cast(cost_usd as decimal(18,6)) as cost_usd,
    cast(prompt_text as string) as prompt_text,
    cast(source_text as string) as source_text,
    cast(response_text as string) as response_text,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('llm_responses') }}
