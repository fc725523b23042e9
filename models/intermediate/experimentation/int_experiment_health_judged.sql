{{ config(materialized='table') }}

-- Whether each phase may be read at all. One that nobody was exposed to is there, with nothing found.
with

totals as (

    select
        experiment_id,
        phase,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(multi_exposed_count) as bigint) as multi_exposed_count,
        cast(sum(excluded_count) as bigint) as excluded_count
    from {{ ref('int_experiment_arms_counted') }}
    where segment_key = 'all'
    group by experiment_id, phase

),

balances as (

    select
        experiment_id,
        phase,
        min(p_value) as imbalance_p_value,
        count(p_value) as imbalance_test_count
    from {{ ref('py_experiment_imbalances') }}
    group by experiment_id, phase

),

matured as (

    select
        experiment_id,
        phase,
        cast(sum(unit_count) as bigint) as matured_unit_count
    from {{ ref('int_experiment_statistics_summed') }}
    where segment_key = 'all' and cohort = 'matured' and is_primary
    group by experiment_id, phase

)

select
    progress.experiment_id,
    progress.phase,
    progress.control_variation_id,
    progress.full_days,
    progress.is_at_planned_end,
    progress.is_stopped,
    coalesce(totals.unit_count, 0) as unit_count,
    coalesce(totals.unit_count, 0) + coalesce(totals.multi_exposed_count, 0) as exposed_unit_count,
    coalesce(totals.multi_exposed_count, 0) as multi_exposed_count,
    coalesce(totals.excluded_count, 0) as excluded_count,
    coalesce(matured.matured_unit_count, 0) as matured_unit_count,
    coalesce(splits.leaked_count, 0) as leaked_count,
    splits.chi_square,
    splits.p_value as sample_ratio_p_value,
    splits.log_e_value as sample_ratio_log_e_value,
    balances.imbalance_p_value,
    coalesce(balances.imbalance_test_count, 0) as imbalance_test_count,
    coalesce(splits.leaked_count, 0) > 0 as is_leaked,
    coalesce(
        splits.log_e_value >= ln({{ number_var('sample_ratio_e_value') }})
        or (progress.is_at_planned_end and splits.p_value < {{ number_var('sample_ratio_p_value') }}),
        false
    ) as is_mismatched
from {{ ref('int_experiment_progress_measured') }} as progress
left join totals on progress.experiment_id = totals.experiment_id and progress.phase = totals.phase
left join balances on progress.experiment_id = balances.experiment_id and progress.phase = balances.phase
left join matured on progress.experiment_id = matured.experiment_id and progress.phase = matured.phase
left join {{ ref('py_experiment_splits') }} as splits
    on progress.experiment_id = splits.experiment_id
    and progress.phase = splits.phase
    and splits.segment_key = 'all'
