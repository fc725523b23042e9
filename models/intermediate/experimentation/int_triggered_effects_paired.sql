-- The matured result of all units beside that of the triggered ones, and whether triggered units stand in the
-- planned shares: if not, the treatment moves the trigger itself.
with

results as (

    select * from {{ ref('py_experiment_results') }}
    where cohort = 'matured' and method = 'plain' and kind not in ('ratio', 'quantile')

)

select
    triggered.experiment_id,
    triggered.phase,
    triggered.variation_id,
    triggered.metric,
    triggered.role,
    metrics.good_direction,
    everybody.control_unit_count,
    everybody.treatment_unit_count,
    triggered.control_unit_count as triggered_control_unit_count,
    triggered.treatment_unit_count as triggered_treatment_unit_count,
    everybody.control_value,
    everybody.difference,
    everybody.standard_error,
    triggered.control_value as triggered_control_value,
    triggered.difference as triggered_difference,
    triggered.standard_error as triggered_standard_error,
    triggered.difference_low as triggered_low,
    triggered.difference_high as triggered_high,
    triggered.p_value as triggered_p_value,
    splits.p_value as trigger_ratio_p_value
from results as triggered
inner join results as everybody
    on triggered.experiment_id = everybody.experiment_id
    and triggered.phase = everybody.phase
    and triggered.variation_id = everybody.variation_id
    and triggered.metric = everybody.metric
    and everybody.segment_key = 'all'
inner join {{ ref('experiment_metrics') }} as metrics on triggered.metric = metrics.metric
left join {{ ref('py_experiment_splits') }} as splits
    on triggered.experiment_id = splits.experiment_id
    and triggered.phase = splits.phase
    and triggered.segment_key = splits.segment_key
    and triggered.segment_value = splits.segment_value
where triggered.segment_key = 'trigger' and triggered.segment_value = 'triggered'
