{{ config(materialized='table') }}

-- How far each phase is. The planned end is reached when the windows of the goals are over for the last units
-- of the plan: before that, not all that was planned is in.
with

horizons as (

    select
        experiment_id,
        phase,
        max(case when window_days > 0 then delay_days + window_days else 1 end) as goal_days
    from {{ ref('int_experiment_metrics_assigned') }}
    where role = 'goal'
    group by experiment_id, phase

),

controls as (

    select distinct
        experiment_id,
        phase,
        control_variation_id
    from {{ ref('int_experiment_variations_listed') }}

),

dated as (

    select
        phases.*,
        coalesce(horizons.goal_days, 1) as goal_days,
        controls.control_variation_id,
        {{ reporting_date('phases.started_at') }} as started_date,
        {{ reporting_date('phases.planned_end_at') }} as planned_end_date,
        {{ reporting_date('phases.closed_at') }} as closing_date,
        {{ as_of_date() }} as as_of_date
    from {{ ref('int_experiment_phases_bounded') }} as phases
    left join horizons on phases.experiment_id = horizons.experiment_id and phases.phase = horizons.phase
    left join controls on phases.experiment_id = controls.experiment_id and phases.phase = controls.phase

)

select
    experiment_id,
    phase,
    experiment_name,
    unit_type,
    status,
    coalesce(control_variation_id, 'none') as control_variation_id,
    started_date,
    planned_end_date,
    case when closing_date < cast('9999-01-01' as date) then closing_date end as closing_date,
    as_of_date,
    planned_units as planned_unit_count,
    mde_relative,
    goal_days,
    greatest(
        {{ day_diff('started_date', 'least(' ~ add_days('as_of_date', 1) ~ ', closing_date)') }}, 0
    ) as full_days,
    coalesce(
        as_of_date >= {{ add_days('planned_end_date', 'goal_days - 1') }}, false
    ) as is_at_planned_end,
    -- A phase that never closed lies in year 9999, to which no day can be added.
    case
        when closing_date > as_of_date then false
        else as_of_date >= {{ add_days('least(closing_date, as_of_date)', 'goal_days - 1') }}
    end as is_stopped
from dated
