-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('identity_links', mapped=['anonymous_id']); all others must be there in a fitting type.
select
    cast(anonymous_id as string) as anonymous_id,
    cast(user_id as string) as user_id,
    cast(linked_at as timestamp) as linked_at,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('identity_links') }}
