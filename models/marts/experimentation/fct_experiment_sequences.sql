with

looks as (

    select * from {{ ref('py_experiment_sequences') }}

)

select
    looks.experiment_id,
    looks.phase,
    looks.variation_id,
    looks.control_variation_id,
    looks.metric,
    {{ add_days('progress.started_date', 'looks.look_day') }} as activity_date,
    looks.kind,
    looks.role,
    looks.is_primary,
    looks.method,
    looks.control_unit_count,
    looks.treatment_unit_count,
    looks.control_value,
    looks.treatment_value,
    looks.difference,
    looks.difference_low,
    looks.difference_high,
    looks.relative_difference,
    looks.p_value,
    looks.anytime_low,
    looks.anytime_high,
    looks.anytime_relative_low,
    looks.anytime_relative_high,
    looks.anytime_p_value,
    looks.log_e_value,
    looks.direction
from looks
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on looks.experiment_id = progress.experiment_id and looks.phase = progress.phase
