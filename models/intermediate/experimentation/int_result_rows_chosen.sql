-- Matured results of the view decisions read, with the plan: what segments and power are worked out from.
with

ranked as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, variation_id, metric, segment_key, segment_value
            order by method asc nulls last
        ) as view_rank
    from {{ ref('py_experiment_results') }}
    where cohort = 'matured' and method in ('capped', 'plain')

)

select
    ranked.experiment_id,
    ranked.phase,
    ranked.variation_id,
    ranked.metric,
    ranked.segment_key,
    ranked.segment_value,
    ranked.role,
    metrics.good_direction,
    ranked.control_unit_count,
    ranked.treatment_unit_count,
    ranked.control_value,
    ranked.control_standard_error,
    ranked.log_ratio,
    ranked.log_ratio_error,
    ranked.probability_better,
    progress.mde_relative
from ranked
inner join {{ ref('experiment_metrics') }} as metrics on ranked.metric = metrics.metric
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on ranked.experiment_id = progress.experiment_id and ranked.phase = progress.phase
where ranked.view_rank = 1
