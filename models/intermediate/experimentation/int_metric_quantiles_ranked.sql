{{ config(materialized='table') }}
{%- set spread = '1.959963984540054 * sqrt(value_count * quantile_level * (1 - quantile_level))' -%}
-- Values at exact ranks: the quantile, and the ends of its 95 % interval. With few units an end would lie
-- outside the sample; then both are null.
with

cohorts as (

    select 'all' as cohort
    union all
    select 'matured' as cohort

),

ranked as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        units.metric,
        listed.segment_key,
        listed.segment_value,
        cohorts.cohort,
        units.numerator_value,
        cast(metrics.quantile_level as double) as quantile_level,
        row_number() over arm_by_value as value_rank,
        count(*) over (
            partition by
                units.experiment_id, units.phase, units.variation_id, units.metric, cohorts.cohort,
                listed.segment_key, listed.segment_value
        ) as value_count
    from {{ ref('int_units_measured') }} as units
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on units.experiment_id = metrics.experiment_id
        and units.phase = metrics.phase
        and units.metric = metrics.metric
        and metrics.kind = 'quantile'
    inner join {{ ref('int_unit_segments_listed') }} as listed
        on units.experiment_id = listed.experiment_id
        and units.phase = listed.phase
        and units.unit_key = listed.unit_key
        and listed.segment_key not in ('stratum', 'half')
    inner join cohorts
        on cohorts.cohort = 'all' or units.matured_date <= {{ as_of_date() }}
    window arm_by_value as (
        partition by
            units.experiment_id, units.phase, units.variation_id, units.metric, cohorts.cohort, listed.segment_key,
            listed.segment_value
        order by units.numerator_value asc nulls last, units.unit_key asc nulls last
    )

),

placed as (

    select
        *,
        greatest(ceil(value_count * quantile_level), 1) as point_rank,
        floor(value_count * quantile_level - {{ spread }}) as low_rank,
        ceil(value_count * quantile_level + {{ spread }}) + 1 as high_rank
    from ranked

)

select
    experiment_id,
    phase,
    variation_id,
    metric,
    segment_key,
    segment_value,
    cohort,
    max(case when value_rank = point_rank then numerator_value end) as quantile_value,
    max(case when value_rank = low_rank and high_rank <= value_count then numerator_value end) as quantile_low,
    max(case when value_rank = high_rank and low_rank >= 1 then numerator_value end) as quantile_high
from placed
group by experiment_id, phase, variation_id, metric, segment_key, segment_value, cohort
