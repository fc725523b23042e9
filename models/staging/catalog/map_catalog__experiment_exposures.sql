-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(experiment_id as string) as experiment_id,
    cast(variation_id as string) as variation_id,
    cast(unit_id as string) as unit_id,
    cast(exposed_at as timestamp) as exposed_at,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('experiment_exposures') }}
