-- Rename here: the left side of each cast is your column, the right side the contract's.
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
