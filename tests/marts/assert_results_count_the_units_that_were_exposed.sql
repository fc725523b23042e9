-- Every result of all units of an arm counts the units that were exposed to it and count, no more and no fewer. An
-- experiment that comes as exposures and as counts is told twice, and found here.
with

exposed as (

    select
        experiment_id,
        phase,
        variation_id,
        'any' as metric,
        count(*) as unit_count
    from {{ ref('fct_experiment_exposures') }}
    where is_analysed
    group by experiment_id, phase, variation_id
    union all
    select
        experiment_id,
        phase,
        variation_id,
        metric,
        sum(unit_count) as unit_count
    from {{ ref('int_experiment_counts_summed') }}
    group by experiment_id, phase, variation_id, metric

),

counted as (

    select
        experiment_id,
        phase,
        variation_id,
        metric,
        treatment_unit_count as unit_count
    from {{ ref('fct_experiment_results') }}
    where segment_key = 'all' and cohort = 'all' and method = 'plain'
    union all
    select
        experiment_id,
        phase,
        control_variation_id,
        metric,
        control_unit_count
    from {{ ref('fct_experiment_results') }}
    where segment_key = 'all' and cohort = 'all' and method = 'plain'

)

select
    counted.experiment_id,
    counted.phase,
    counted.variation_id,
    counted.metric,
    counted.unit_count,
    exposed.unit_count as exposed_unit_count
from counted
left join exposed
    on counted.experiment_id = exposed.experiment_id
    and counted.phase = exposed.phase
    and counted.variation_id = exposed.variation_id
    and (exposed.metric = 'any' or counted.metric = exposed.metric)
where exposed.unit_count is null or counted.unit_count <> exposed.unit_count
