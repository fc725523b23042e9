{{ config(materialized='table') }}

-- Per experiment and metric, over all arms: whole numbers near the means, around which moments are summed
-- without loss, and the cap: the 99.9 % quantile of the values that are not 0.
with

centres as (

    select
        experiment_id,
        phase,
        metric,
        cast(floor({{ safe_divide('sum(numerator_value)', 'count(*)') }}) as bigint) as numerator_pivot,
        cast(floor({{ safe_divide('sum(denominator_value)', 'count(*)') }}) as bigint) as denominator_pivot,
        cast(floor({{ safe_divide('sum(before_numerator_value)', 'count(*)') }}) as bigint) as before_numerator_pivot,
        cast(floor({{ safe_divide('sum(before_denominator_value)', 'count(*)') }}) as bigint)
            as before_denominator_pivot
    from {{ ref('int_units_measured') }}
    group by experiment_id, phase, metric
    union all
    -- A success that was counted elsewhere is 0 or 1.
    select distinct
        experiment_id,
        phase,
        metric,
        cast(0 as bigint) as numerator_pivot,
        cast(0 as bigint) as denominator_pivot,
        cast(0 as bigint) as before_numerator_pivot,
        cast(0 as bigint) as before_denominator_pivot
    from {{ ref('int_experiment_counts_summed') }}

),

ordered as (

    select
        units.experiment_id,
        units.phase,
        units.metric,
        units.numerator_value,
        row_number() over (
            partition by units.experiment_id, units.phase, units.metric order by units.numerator_value asc nulls last
        ) as value_rank,
        count(*) over (partition by units.experiment_id, units.phase, units.metric) as value_count
    from {{ ref('int_units_measured') }} as units
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on units.experiment_id = metrics.experiment_id
        and units.phase = metrics.phase
        and units.metric = metrics.metric
        and metrics.is_capped
    where units.numerator_value <> 0

),

-- Linear between the two values around rank 1 + 0.999 (n - 1), in whole thousandths, rounded down.
placed as (

    select
        experiment_id,
        phase,
        metric,
        max(mod(999 * (value_count - 1), 1000)) as thousandths,
        max(case when value_rank = 1 + floor(999 * (value_count - 1) / 1000) then numerator_value end) as low_value,
        max(case
            when value_rank = least(2 + floor(999 * (value_count - 1) / 1000), value_count) then numerator_value
        end) as high_value
    from ordered
    group by experiment_id, phase, metric

)

select
    centres.experiment_id,
    centres.phase,
    centres.metric,
    centres.numerator_pivot,
    centres.denominator_pivot,
    centres.before_numerator_pivot,
    centres.before_denominator_pivot,
    cast(floor(
        placed.low_value + (placed.high_value - placed.low_value) * placed.thousandths / 1000
    ) as bigint) as cap
from centres
left join placed
    on centres.experiment_id = placed.experiment_id
    and centres.phase = placed.phase
    and centres.metric = placed.metric
