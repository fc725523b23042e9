-- For every metric and day on which a phase that is judged by it began: the effects on that metric that were known
-- then. They never change afterwards, so the prior made of them is frozen. A day without any keeps one empty row.
-- Phases that began on one day know the same.
with

splits as (

    select
        experiment_id,
        phase
    from {{ ref('py_experiment_splits') }}
    where segment_key = 'all' and leaked_count = 0 and log_e_value < ln({{ number_var('sample_ratio_e_value') }})

),

finished as (

    select
        results.experiment_id,
        results.phase,
        results.variation_id,
        results.metric,
        results.log_ratio,
        results.log_ratio_error,
        {{ add_days('progress.closing_date', 'metrics.delay_days + metrics.window_days - 1') }} as known_date,
        row_number() over (
            partition by results.experiment_id, results.phase, results.variation_id, results.metric
            order by results.method asc nulls last
        ) as view_rank
    from {{ ref('py_experiment_results') }} as results
    inner join splits on results.experiment_id = splits.experiment_id and results.phase = splits.phase
    inner join {{ ref('int_experiment_progress_measured') }} as progress
        on results.experiment_id = progress.experiment_id
        and results.phase = progress.phase
        and progress.closing_date is not null
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on results.experiment_id = metrics.experiment_id
        and results.phase = metrics.phase
        and results.metric = metrics.metric
    where results.segment_key = 'all' and results.cohort = 'matured' and results.method in ('capped', 'plain')
        and results.log_ratio is not null

),

starts as (

    select distinct
        metrics.metric,
        progress.started_date
    from {{ ref('int_experiment_metrics_assigned') }} as metrics
    inner join {{ ref('int_experiment_progress_measured') }} as progress
        on metrics.experiment_id = progress.experiment_id and metrics.phase = progress.phase
    where metrics.role in ('goal', 'guardrail')

)

select
    starts.metric,
    cast({{ day_diff("cast('1970-01-01' as date)", 'starts.started_date') }} as bigint) as started_day,
    coalesce(finished.experiment_id, 'none') as finished_experiment_id,
    coalesce(finished.phase, -1) as finished_phase,
    coalesce(finished.variation_id, 'none') as finished_variation_id,
    finished.log_ratio,
    finished.log_ratio_error
from starts
left join finished
    on starts.metric = finished.metric
    and starts.started_date > finished.known_date
    and finished.view_rank = 1
