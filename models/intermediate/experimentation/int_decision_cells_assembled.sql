-- Matured cells of goals and guardrails, with what a decision needs beside them.
select
    cells.*,
    progress.full_days,
    progress.planned_unit_count,
    progress.mde_relative,
    priors.real_share as prior_share,
    priors.real_deviation as prior_deviation
from {{ ref('int_experiment_cells_paired') }} as cells
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on cells.experiment_id = progress.experiment_id and cells.phase = progress.phase
inner join {{ ref('py_effect_priors') }} as priors
    on cells.metric = priors.metric
    and priors.started_day = {{ day_diff("cast('1970-01-01' as date)", 'progress.started_date') }}
where cells.segment_key = 'all' and cells.cohort = 'matured' and cells.role in ('goal', 'guardrail')
