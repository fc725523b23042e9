{{ config(materialized='table') }}

-- Everything results are computed from, one row per arm, metric, segment and cohort. A unit is matured once the
-- window of the metric is over; a cohort without units has no row.
with

pieces as (

    select * from {{ ref('int_experiment_days_summed') }}
    union all
    select * from {{ ref('int_experiment_segments_summed') }}

),

cohorts as (

    select 'all' as cohort
    union all
    select 'matured' as cohort

),

summed as (

    select
        days.experiment_id,
        days.phase,
        days.variation_id,
        days.metric,
        days.segment_key,
        days.segment_value,
        cohorts.cohort,
        cast(sum(days.unit_count) as bigint) as unit_count,
        cast(sum(days.nonzero_count) as bigint) as nonzero_count,
        cast(sum(days.before_count) as bigint) as before_count,
        {%- for term in statistic_terms() %}
        cast(sum(days.sum_{{ term }}) as decimal(38, 0)) as sum_{{ term }},
        {%- endfor %}
        max(days.max_value) as max_value
    from pieces as days
    inner join cohorts
        on cohorts.cohort = 'all' or days.matured_date <= {{ as_of_date() }}
    group by
        days.experiment_id, days.phase, days.variation_id, days.metric, days.segment_key, days.segment_value,
        cohorts.cohort

)

select
    summed.experiment_id,
    summed.phase,
    summed.variation_id,
    summed.metric,
    summed.segment_key,
    summed.segment_value,
    summed.cohort,
    {{ as_of_date() }} as as_of_date,
    metrics.kind,
    metrics.numerator as measure,
    metrics.role,
    metrics.is_primary,
    metrics.margin_relative,
    metrics.good_direction,
    metrics.is_capped,
    metrics.scale,
    metrics.quantile_level,
    summed.unit_count,
    summed.nonzero_count,
    summed.before_count,
    summed.max_value,
    scales.numerator_pivot,
    scales.denominator_pivot,
    scales.before_numerator_pivot,
    scales.before_denominator_pivot,
    scales.cap,
    {%- for term in statistic_terms() %}
    summed.sum_{{ term }},
    {%- endfor %}
    quantiles.quantile_value,
    quantiles.quantile_low,
    quantiles.quantile_high
from summed
inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
    on summed.experiment_id = metrics.experiment_id
    and summed.phase = metrics.phase
    and summed.metric = metrics.metric
inner join {{ ref('int_metric_scales_set') }} as scales
    on summed.experiment_id = scales.experiment_id
    and summed.phase = scales.phase
    and summed.metric = scales.metric
left join {{ ref('int_metric_quantiles_ranked') }} as quantiles
    on summed.experiment_id = quantiles.experiment_id
    and summed.phase = quantiles.phase
    and summed.variation_id = quantiles.variation_id
    and summed.metric = quantiles.metric
    and summed.cohort = quantiles.cohort
    and summed.segment_key = quantiles.segment_key
    and summed.segment_value = quantiles.segment_value
