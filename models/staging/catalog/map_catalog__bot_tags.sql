-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(bot_id as string) as bot_id,
    cast(tag as string) as tag,
    cast(valid_from as timestamp) as valid_from,
    cast(valid_to as timestamp) as valid_to,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('bot_tags') }}
