with

results as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, variation_id, metric order by method asc nulls last
        ) as view_rank
    from {{ ref('fct_experiment_results') }}
    where segment_key = 'all' and cohort = 'matured' and role in ('goal', 'guardrail')
        -- capped comes before plain: where a metric is capped, that view counts
        and method in ('capped', 'plain')

),

looks as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, variation_id, metric order by activity_date desc nulls last
        ) as look_rank
    from {{ ref('fct_experiment_sequences') }}

),

treatments as (

    select
        results.*,
        looks.anytime_p_value
    from results
    left join looks
        on results.experiment_id = looks.experiment_id
        and results.phase = looks.phase
        and results.variation_id = looks.variation_id
        and results.metric = looks.metric
        and looks.look_rank = 1
    where results.view_rank = 1

),

controls as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, metric order by variation_id asc nulls last
        ) as treatment_rank
    from treatments

),

arms as (

    select
        experiment_id,
        phase,
        variation_id,
        false as is_control,
        metric,
        role,
        is_primary,
        unit,
        treatment_unit_count as unit_count,
        treatment_value as value,
        relative_difference,
        relative_low,
        relative_high,
        anytime_p_value,
        probability_better,
        direction
    from treatments
    union all
    select
        experiment_id,
        phase,
        control_variation_id as variation_id,
        true as is_control,
        metric,
        role,
        is_primary,
        unit,
        control_unit_count as unit_count,
        control_value as value,
        cast(null as double) as relative_difference,
        cast(null as double) as relative_low,
        cast(null as double) as relative_high,
        cast(null as double) as anytime_p_value,
        cast(null as double) as probability_better,
        'none' as direction
    from controls
    where treatment_rank = 1

)

select
    arms.experiment_id,
    arms.phase,
    decisions.experiment_name,
    arms.variation_id,
    arms.is_control,
    arms.metric,
    arms.role,
    arms.is_primary,
    arms.unit,
    arms.unit_count,
    arms.value,
    arms.relative_difference,
    arms.relative_low,
    arms.relative_high,
    arms.anytime_p_value,
    arms.probability_better,
    arms.direction,
    decisions.status,
    decisions.recommended_variation_id = arms.variation_id as is_recommended
from arms
inner join {{ ref('fct_experiment_decisions') }} as decisions
    on arms.experiment_id = decisions.experiment_id and arms.phase = decisions.phase
