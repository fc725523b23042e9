with

priors as (

    select * from {{ ref('py_effect_priors') }}

)

select
    priors.experiment_id,
    priors.phase,
    priors.metric,
    progress.started_date as frozen_date,
    priors.effect_count,
    priors.is_fallback,
    priors.real_share,
    priors.real_deviation
from priors
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on priors.experiment_id = progress.experiment_id and priors.phase = progress.phase
