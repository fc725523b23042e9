-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('experiments', mapped=['ended_at']); all others must be there in a fitting type.
select
    cast(experiment_id as string) as experiment_id,
    cast(phase as bigint) as phase,
    cast(variation_id as string) as variation_id,
    cast(name as string) as name,
    cast(unit_type as string) as unit_type,
    cast(is_control as boolean) as is_control,
    cast(expected_weight as decimal(9,6)) as expected_weight,
    cast(started_at as timestamp) as started_at,
    cast(planned_end_at as timestamp) as planned_end_at,
    cast(planned_units as bigint) as planned_units,
    cast(mde_relative as decimal(9,6)) as mde_relative,
    cast(ended_at as timestamp) as ended_at,
    cast(status as string) as status,
    cast(tags as string) as tags,
    cast(hypothesis as string) as hypothesis,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('experiments') }}
