-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(anonymous_id as string) as anonymous_id,
    cast(user_id as string) as user_id,
    cast(linked_at as timestamp) as linked_at,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('identity_links') }}
