with

decided as (

    select * from {{ ref('py_experiment_decisions') }}

),

goals as (

    select
        experiment_id,
        phase,
        metric
    from {{ ref('int_experiment_metrics_assigned') }}
    where is_primary

)

select
    decided.experiment_id,
    decided.phase,
    progress.experiment_name,
    {{ as_of_date() }} as as_of_date,
    decided.status,
    case decided.status
        when 'invalid'
            then 'Do not read the results: the experiment was not run as planned. Find the fault and start again.'
        when 'insufficient' then 'Wait: too few days or units so far to say anything.'
        when 'rollback' then 'Switch the treatment off: it does harm.'
        when 'conflict' then 'One goal got better and another worse: somebody has to weigh them.'
        when 'ship' then 'Ship ' || decided.recommended_variation_id || ': it is better and no harm was found.'
        when 'no_difference' then 'Keep what is simpler: the arms are as good as equal.'
        when 'stopped_underpowered' then 'No answer: the experiment ended before the effect could be told from chance.'
        when 'keep_running' then 'Let it run: the answer is not clear yet.'
    end as recommendation,
    decided.reason_codes,
    decided.recommended_variation_id,
    coalesce(goals.metric, 'none') as primary_metric,
    decided.probability_best,
    decided.expected_loss,
    decided.loss_threshold,
    decided.days_left,
    cast(health.full_days as bigint) as full_days,
    health.unit_count,
    health.matured_unit_count,
    health.is_at_planned_end
from decided
inner join {{ ref('int_experiment_progress_measured') }} as progress
    on decided.experiment_id = progress.experiment_id and decided.phase = progress.phase
inner join {{ ref('int_experiment_health_judged') }} as health
    on decided.experiment_id = health.experiment_id and decided.phase = health.phase
left join goals on decided.experiment_id = goals.experiment_id and decided.phase = goals.phase
