-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('creators', mapped=['target_revenue_usd']); all others must be there in a fitting type.
select
    cast(creator_id as string) as creator_id,
    cast(updated_at as timestamp) as updated_at,
    cast(handle as string) as handle,
    cast(category as string) as category,
    cast(joined_at as timestamp) as joined_at,
    cast(target_revenue_usd as decimal(18,6)) as target_revenue_usd,
    cast(target_aov_usd as decimal(18,6)) as target_aov_usd,
    cast(target_reach as bigint) as target_reach,
    cast(target_cpa_usd as decimal(18,6)) as target_cpa_usd,
    cast(target_cpe_usd as decimal(18,6)) as target_cpe_usd,
    cast(target_cpv_usd as decimal(18,6)) as target_cpv_usd,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('creators') }}
