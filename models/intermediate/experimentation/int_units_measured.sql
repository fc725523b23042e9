{{ config(materialized='table') }}
{%- set history = number_var('experiment_history_days') -%}
-- One row per exposed unit and metric; who did nothing has zeros. The covariate is the same measure over the
-- days before the exposure.
with

valued as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        units.unit_type,
        units.unit_key,
        metrics.metric,
        metrics.kind,
        metrics.threshold,
        case
            when metrics.window_days = 0 then {{ add_days('metrics.closing_date', -1) }}
            else {{ add_days('units.exposure_date', 'metrics.delay_days + metrics.window_days - 1') }}
        end as matured_date,
        {{ measure_of('metrics.numerator', 'later') }} as after_numerator,
        {{ measure_of('metrics.denominator', 'later') }} as after_denominator,
        {{ measure_of('metrics.numerator', 'earlier') }} as before_numerator,
        {{ measure_of('metrics.denominator', 'earlier') }} as before_denominator
    from {{ ref('int_units_described') }} as units
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on units.experiment_id = metrics.experiment_id
        and units.phase = metrics.phase
        -- Units of an experiment that was counted elsewhere are not counted again.
        and metrics.numerator <> 'counted'
    left join {{ ref('int_unit_windows_measured') }} as later
        on units.experiment_id = later.experiment_id
        and units.phase = later.phase
        and units.unit_type = later.unit_type
        and units.unit_key = later.unit_key
        and metrics.delay_days = later.delay_days
        and metrics.window_days = later.window_days
    left join {{ ref('int_unit_windows_measured') }} as earlier
        on units.experiment_id = earlier.experiment_id
        and units.phase = earlier.phase
        and units.unit_type = earlier.unit_type
        and units.unit_key = earlier.unit_key
        and earlier.delay_days = -{{ history }}
        and earlier.window_days = {{ history }}

)

select
    experiment_id,
    phase,
    variation_id,
    unit_type,
    unit_key,
    metric,
    kind,
    matured_date,
    cast(case
        when kind in ('proportion', 'retention') then case when after_numerator > 0 then 1 else 0 end
        when kind = 'threshold' then case when after_numerator >= threshold then 1 else 0 end
        else after_numerator
    end as bigint) as numerator_value,
    cast(coalesce(after_denominator, 0) as bigint) as denominator_value,
    cast(before_numerator as bigint) as before_numerator_value,
    cast(coalesce(before_denominator, 0) as bigint) as before_denominator_value
from valued
