with

goals as (

    select
        experiment_id,
        phase,
        metric,
        owner
    from {{ ref('int_experiment_metrics_assigned') }}
    where is_primary

)

select
    phases.experiment_id,
    phases.phase,
    phases.experiment_name,
    phases.unit_type,
    phases.status as registry_status,
    phases.hypothesis,
    phases.tags,
    coalesce(goals.metric, 'none') as primary_metric,
    coalesce(goals.owner, 'none') as goal_owner,
    progress.control_variation_id,
    phases.variation_count,
    phases.started_at,
    phases.planned_end_at,
    phases.ended_at,
    progress.started_date,
    progress.closing_date,
    phases.planned_units as planned_unit_count,
    cast(phases.mde_relative as double) as mde_relative,
    cast(progress.goal_days as bigint) as goal_window_days
from {{ ref('int_experiment_phases_bounded') }} as phases
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on phases.experiment_id = progress.experiment_id and phases.phase = progress.phase
left join goals on phases.experiment_id = goals.experiment_id and phases.phase = goals.phase
