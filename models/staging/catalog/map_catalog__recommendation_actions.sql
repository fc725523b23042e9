-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('recommendation_actions', mapped=['action_id']); all others must be there in a fitting type.
select
    cast(action_id as string) as action_id,
    cast(creator_id as string) as creator_id,
    cast(recommendation_id as string) as recommendation_id,
    cast(implemented_on as date) as implemented_on,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('recommendation_actions') }}
