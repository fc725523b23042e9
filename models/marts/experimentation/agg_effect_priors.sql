with

priors as (

    select * from {{ ref('py_effect_priors') }}

)

select
    progress.experiment_id,
    progress.phase,
    priors.metric,
    progress.started_date as frozen_date,
    priors.effect_count,
    priors.is_fallback,
    priors.real_share,
    priors.real_deviation
from {{ ref('int_experiment_metrics_assigned') }} as metrics
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on metrics.experiment_id = progress.experiment_id and metrics.phase = progress.phase
inner join priors
    on metrics.metric = priors.metric
    and priors.started_day = {{ day_diff("cast('1970-01-01' as date)", 'progress.started_date') }}
where metrics.role in ('goal', 'guardrail')
