-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('llm_ratings', mapped=['is_hallucination']); all others must be there in a fitting type.
select
    cast(rating_id as string) as rating_id,
    cast(response_id as string) as response_id,
    cast(rater_id as string) as rater_id,
    cast(rater_kind as string) as rater_kind,
    cast(rated_at as timestamp) as rated_at,
    cast(score as bigint) as score,
    cast(is_hallucination as boolean) as is_hallucination,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('llm_ratings') }}
