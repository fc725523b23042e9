-- Rename here: the left side of each cast is your column, the right side the contract's.
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
