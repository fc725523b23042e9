-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('experiment_counts', mapped=['experiment_id']); all others must be there in a fitting type.
select
    cast(experiment_id as string) as experiment_id,
    cast(phase as bigint) as phase,
    cast(variation_id as string) as variation_id,
    cast(metric as string) as metric,
    cast(exposure_date as date) as exposure_date,
    cast(unit_count as bigint) as unit_count,
    cast(success_count as bigint) as success_count,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('experiment_counts') }}
