{{ config(materialized='table') }}

-- The matured cohort as it stood on each day on which windows closed: what a look at that day sees. Caps and
-- reference values are those of today. Quantiles do not add up and are not followed.
with

pieces as (

    select * from {{ ref('int_experiment_days_summed') }}
    where segment_key = 'all' and matured_date <= {{ as_of_date() }}

),

grid as (

    select
        looks.experiment_id,
        looks.phase,
        looks.metric,
        looks.matured_date as look_date,
        arms.variation_id
    from (select distinct experiment_id, phase, metric, matured_date from pieces) as looks
    inner join (select distinct experiment_id, phase, metric, variation_id from pieces) as arms
        on looks.experiment_id = arms.experiment_id and looks.phase = arms.phase and looks.metric = arms.metric

),

cumulated as (

    select
        grid.experiment_id,
        grid.phase,
        grid.metric,
        grid.look_date,
        grid.variation_id,
        {%- for column in ['unit_count', 'nonzero_count', 'before_count'] %}
        cast(sum(coalesce(pieces.{{ column }}, 0)) over so_far as bigint) as {{ column }},
        {%- endfor %}
        {%- for term in statistic_terms() %}
        cast(sum(coalesce(pieces.sum_{{ term }}, 0)) over so_far as decimal(38, 0)) as sum_{{ term }},
        {%- endfor %}
        max(pieces.max_value) over so_far as max_value
    from grid
    left join pieces
        on grid.experiment_id = pieces.experiment_id
        and grid.phase = pieces.phase
        and grid.metric = pieces.metric
        and grid.look_date = pieces.matured_date
        and grid.variation_id = pieces.variation_id
    window so_far as (
        partition by grid.experiment_id, grid.phase, grid.metric, grid.variation_id
        order by grid.look_date asc nulls last
        rows between unbounded preceding and current row
    )

)

select
    cumulated.experiment_id,
    cumulated.phase,
    cumulated.metric,
    cumulated.look_date,
    cumulated.variation_id,
    metrics.kind,
    metrics.numerator as measure,
    metrics.role,
    metrics.is_primary,
    metrics.margin_relative,
    metrics.good_direction,
    metrics.is_capped,
    metrics.scale,
    metrics.quantile_level,
    cumulated.unit_count,
    cumulated.nonzero_count,
    cumulated.before_count,
    cumulated.max_value,
    scales.numerator_pivot,
    scales.denominator_pivot,
    scales.before_numerator_pivot,
    scales.before_denominator_pivot,
    scales.cap,
    {%- for term in statistic_terms() %}
    cumulated.sum_{{ term }},
    {%- endfor %}
    cast(null as bigint) as quantile_value,
    cast(null as bigint) as quantile_low,
    cast(null as bigint) as quantile_high
from cumulated
inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
    on cumulated.experiment_id = metrics.experiment_id
    and cumulated.phase = metrics.phase
    and cumulated.metric = metrics.metric
    and metrics.kind <> 'quantile'
inner join {{ ref('int_metric_scales_set') }} as scales
    on cumulated.experiment_id = scales.experiment_id
    and cumulated.phase = scales.phase
    and cumulated.metric = scales.metric
where cumulated.unit_count > 0
