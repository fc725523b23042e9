-- Each look with the plan it is judged by; days count from the start of the phase.
select
    looks.*,
    {{ day_diff('progress.started_date', 'looks.look_date') }} as look_day,
    progress.planned_unit_count
from {{ ref('int_experiment_looks_paired') }} as looks
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on looks.experiment_id = progress.experiment_id and looks.phase = progress.phase
