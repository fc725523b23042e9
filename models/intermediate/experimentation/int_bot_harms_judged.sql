-- Bots that are themselves what is randomised and stand in a treatment whose effect on its goal is harm: that of their
-- workflow drawn towards the common one, or the common one where workflows are not told apart. Matured units only.
with

treated as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        units.unit_id as bot_id,
        described.workflow,
        metrics.metric
    from {{ ref('int_units_assigned') }} as units
    inner join {{ ref('int_units_described') }} as described
        on units.experiment_id = described.experiment_id
        and units.phase = described.phase
        and units.unit_key = described.unit_key
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on units.experiment_id = metrics.experiment_id and units.phase = metrics.phase and metrics.is_primary
    where units.unit_type = 'bot'

),

healthy as (

    select
        experiment_id,
        phase
    from {{ ref('py_experiment_decisions') }}
    where status not in ('invalid', 'insufficient')

)

select
    treated.bot_id,
    max(1 - coalesce(effects.probability_better, results.probability_better)) as harm_probability
from treated
inner join healthy on treated.experiment_id = healthy.experiment_id and treated.phase = healthy.phase
inner join {{ ref('int_result_rows_chosen') }} as results
    on treated.experiment_id = results.experiment_id
    and treated.phase = results.phase
    and treated.variation_id = results.variation_id
    and treated.metric = results.metric
    and results.segment_key = 'all'
left join {{ ref('py_segment_effects') }} as effects
    on treated.experiment_id = effects.experiment_id
    and treated.phase = effects.phase
    and treated.variation_id = effects.variation_id
    and treated.metric = effects.metric
    and treated.workflow = effects.segment_value
    and effects.segment_key = 'workflow'
where coalesce(effects.probability_better, results.probability_better) is not null
group by treated.bot_id
