{{ config(materialized='table') }}

-- Units of every arm, in all and by segment: a planned split must hold in each. An arm without
-- units is counted as 0.
with

assigned as (

    select
        experiment_id,
        phase,
        variation_id,
        count(case when not is_multi_exposed and not is_excluded then 1 end) as unit_count,
        count(case when is_multi_exposed and not is_excluded then 1 end) as multi_exposed_count,
        count(case when is_excluded then 1 end) as excluded_count
    from {{ ref('int_units_assigned') }}
    group by experiment_id, phase, variation_id

),

-- Every metric counts the units of an arm; where they differ, the largest count saw them all.
counted as (

    select
        experiment_id,
        phase,
        variation_id,
        max(metric_unit_count) as unit_count
    from (
        select
            experiment_id,
            phase,
            variation_id,
            metric,
            cast(sum(unit_count) as bigint) as metric_unit_count
        from {{ ref('int_experiment_counts_summed') }}
        group by experiment_id, phase, variation_id, metric
    ) as metrics
    group by experiment_id, phase, variation_id

),

cut as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        listed.segment_key,
        listed.segment_value,
        count(*) as unit_count
    from {{ ref('int_units_described') }} as units
    inner join {{ ref('int_unit_segments_listed') }} as listed
        on units.experiment_id = listed.experiment_id
        and units.phase = listed.phase
        and units.unit_key = listed.unit_key
        and listed.segment_key not in ('all', 'stratum', 'half')
    group by units.experiment_id, units.phase, units.variation_id, listed.segment_key, listed.segment_value

),

cells as (

    select distinct
        experiment_id,
        phase,
        segment_key,
        segment_value
    from cut

)

select
    arms.experiment_id,
    arms.phase,
    arms.variation_id,
    arms.variation_number,
    arms.expected_weight,
    'all' as segment_key,
    'all' as segment_value,
    coalesce(counted.unit_count, assigned.unit_count, 0) as unit_count,
    coalesce(assigned.multi_exposed_count, 0) as multi_exposed_count,
    coalesce(assigned.excluded_count, 0) as excluded_count
from {{ ref('int_experiment_variations_listed') }} as arms
left join assigned
    on arms.experiment_id = assigned.experiment_id
    and arms.phase = assigned.phase
    and arms.variation_id = assigned.variation_id
left join counted
    on arms.experiment_id = counted.experiment_id
    and arms.phase = counted.phase
    and arms.variation_id = counted.variation_id
union all
select
    arms.experiment_id,
    arms.phase,
    arms.variation_id,
    arms.variation_number,
    arms.expected_weight,
    cells.segment_key,
    cells.segment_value,
    coalesce(cut.unit_count, 0) as unit_count,
    cast(null as bigint) as multi_exposed_count,
    cast(null as bigint) as excluded_count
from cells
inner join {{ ref('int_experiment_variations_listed') }} as arms
    on cells.experiment_id = arms.experiment_id and cells.phase = arms.phase
left join cut
    on arms.experiment_id = cut.experiment_id
    and arms.phase = cut.phase
    and arms.variation_id = cut.variation_id
    and cells.segment_key = cut.segment_key
    and cells.segment_value = cut.segment_value
