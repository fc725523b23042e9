-- An exposure belongs to the phase that was open when it was logged. One that no phase holds is kept and
-- counted as quarantined; a registry that comes later places it.
select
    exposures.experiment_id,
    exposures.variation_id,
    exposures.unit_id,
    exposures.exposed_at,
    exposures.load_id,
    exposures.landed_date,
    phases.phase,
    phases.unit_type,
    phases.phase is not null as is_placed
from {{ ref('stg_experiments__exposures') }} as exposures
left join {{ ref('int_experiment_phases_bounded') }} as phases
    on exposures.experiment_id = phases.experiment_id
    and exposures.exposed_at >= phases.started_at
    and exposures.exposed_at < phases.closed_at
