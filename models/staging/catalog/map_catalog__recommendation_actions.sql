-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(action_id as string) as action_id,
    cast(creator_id as string) as creator_id,
    cast(recommendation_id as string) as recommendation_id,
    cast(implemented_on as date) as implemented_on,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('recommendation_actions') }}
