-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('bot_tags', mapped=['valid_to']); all others must be there in a fitting type.
select
    cast(bot_id as string) as bot_id,
    cast(tag as string) as tag,
    cast(valid_from as timestamp) as valid_from,
    cast(valid_to as timestamp) as valid_to,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('bot_tags') }}
