-- What the last day of the sequence sees is what the results say of matured units, to the last bit.
with

looks as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, variation_id, metric order by activity_date desc nulls last
        ) as look_rank
    from {{ ref('fct_experiment_sequences') }}

)

select
    looks.experiment_id,
    looks.phase,
    looks.variation_id,
    looks.metric,
    looks.difference,
    results.difference as result_difference
from looks
left join {{ ref('fct_experiment_results') }} as results
    on looks.experiment_id = results.experiment_id
    and looks.phase = results.phase
    and looks.variation_id = results.variation_id
    and looks.metric = results.metric
    and looks.method = results.method
    and results.cohort = 'matured'
    and results.segment_key = 'all'
where looks.look_rank = 1
    and (
        results.metric is null
        or looks.treatment_unit_count <> results.treatment_unit_count
        or looks.control_unit_count <> results.control_unit_count
        or looks.difference is distinct from results.difference
    )
