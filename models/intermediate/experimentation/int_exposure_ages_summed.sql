{{ config(materialized='table') }}
{%- set ages = number_var('experiment_age_days') | int -%}
-- The primary metric of each day since exposure on its own: what units did on that day alone, of all units for
-- which the day is over.
with

ages as (

    {% for age in range(ages) -%}
    select {{ age }} as age_days
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}
),

valued as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        metrics.metric,
        metrics.kind,
        metrics.good_direction,
        metrics.scale,
        ages.age_days,
        -- 19 digits: DuckDB types the product of two shorter decimals too short.
        cast(case
            when metrics.kind in ('proportion', 'retention', 'threshold')
                then case when {{ measure_of('metrics.numerator', 'windows') }} > 0 then 1 else 0 end
            else {{ measure_of('metrics.numerator', 'windows') }}
        end as decimal(19, 0)) as y,
        cast(coalesce({{ measure_of('metrics.denominator', 'windows') }}, 0) as decimal(19, 0)) as d
    from {{ ref('int_units_described') }} as units
    inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
        on units.experiment_id = metrics.experiment_id
        and units.phase = metrics.phase
        and metrics.is_primary
        and metrics.kind <> 'quantile'
    inner join ages on {{ add_days('units.exposure_date', 'ages.age_days') }} <= {{ as_of_date() }}
    left join {{ ref('int_unit_windows_measured') }} as windows
        on units.experiment_id = windows.experiment_id
        and units.phase = windows.phase
        and units.unit_type = windows.unit_type
        and units.unit_key = windows.unit_key
        and ages.age_days = windows.delay_days
        and windows.window_days = 1

)

select
    experiment_id,
    phase,
    variation_id,
    metric,
    kind,
    good_direction,
    -- A day of participation is one day, whatever the window.
    case when kind = 'participation' then 1 else scale end as scale,
    age_days,
    count(*) as unit_count,
    cast(sum(y) as decimal(38, 0)) as sum_y,
    cast(sum(d) as decimal(38, 0)) as sum_d,
    cast(sum(y * y) as decimal(38, 0)) as sum_yy,
    cast(sum(y * d) as decimal(38, 0)) as sum_yd,
    cast(sum(d * d) as decimal(38, 0)) as sum_dd
from valued
group by experiment_id, phase, variation_id, metric, kind, good_direction, scale, age_days
