-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('experiment_exposures', mapped=['experiment_id']); all others must be there in a fitting type.
select
    cast(experiment_id as string) as experiment_id,
    cast(variation_id as string) as variation_id,
    cast(unit_id as string) as unit_id,
    cast(exposed_at as timestamp) as exposed_at,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('experiment_exposures') }}
