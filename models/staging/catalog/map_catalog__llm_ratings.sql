-- Rename here: the left side of each cast is your column, the right side the contract's.
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
