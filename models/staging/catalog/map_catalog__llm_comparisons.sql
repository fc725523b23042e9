-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('llm_comparisons', mapped=['comparison_id']); all others must be there in a fitting type.
select
    cast(comparison_id as string) as comparison_id,
    cast(response_a_id as string) as response_a_id,
    cast(response_b_id as string) as response_b_id,
    cast(rater_id as string) as rater_id,
    cast(rater_kind as string) as rater_kind,
    cast(compared_at as timestamp) as compared_at,
    cast(shown_first as string) as shown_first,
    cast(winner as string) as winner,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('llm_comparisons') }}
