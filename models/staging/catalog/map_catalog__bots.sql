-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('bots', mapped=['creator_id']); all others must be there in a fitting type.
select
    cast(bot_id as string) as bot_id,
    cast(updated_at as timestamp) as updated_at,
    cast(creator_id as string) as creator_id,
    cast(name as string) as name,
    cast(workflow as string) as workflow,
    cast(is_ai_generated as boolean) as is_ai_generated,
    cast(model_version as string) as model_version,
    cast(created_at as timestamp) as created_at,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('bots') }}
