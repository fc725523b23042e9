-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('llm_auto_scores', mapped=['groundedness']); all others must be there in a fitting type.
select
    cast(response_id as string) as response_id,
    cast(scorer_version as string) as scorer_version,
    cast(scored_at as timestamp) as scored_at,
    cast(groundedness as decimal(9,6)) as groundedness,
    cast(number_mismatch as decimal(9,6)) as number_mismatch,
    cast(citation_missing as decimal(9,6)) as citation_missing,
    cast(length_ratio as decimal(18,6)) as length_ratio,
    cast(readability as decimal(18,6)) as readability,
    cast(repetition as decimal(9,6)) as repetition,
    cast(is_refusal as boolean) as is_refusal,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('llm_auto_scores') }}
