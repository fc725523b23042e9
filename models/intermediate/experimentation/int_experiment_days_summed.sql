{{ config(materialized='table') }}
{%- set segments = ['role', 'country', 'platform', 'tenure', 'workflow'] -%}
{%- set sides = {'y': 'numerator', 'd': 'denominator', 'x': 'before_numerator', 'z': 'before_denominator'} -%}
{%- set pairs = ['yy', 'yd', 'yx', 'yz', 'dd', 'dx', 'dz', 'xx', 'xz', 'zz'] -%}
-- Sums over units by the day on which their window closed: whole numbers, so that days, arms and segments add
-- up without loss. Values are taken from a whole number near the mean (scales), which keeps the squares small.
with

centred as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        units.metric,
        units.matured_date,
        -- Segments are not followed day by day: for them a window is closed or it is not.
        case
            when units.matured_date <= {{ as_of_date() }} then {{ as_of_date() }}
            else cast('9999-12-31' as date)
        end as cohort_date,
        {%- for segment in segments %}
        described.{{ segment }},
        {%- endfor %}
        units.numerator_value,
        case
            when units.before_numerator_value <> 0 or units.before_denominator_value <> 0 then 1 else 0
        end as before_flag,
        -- 19 digits: DuckDB types the product of two shorter decimals too short.
        {%- for letter, side in sides.items() %}
        cast(units.{{ side }}_value - scales.{{ side }}_pivot as decimal(19, 0)) as {{ letter }},
        {%- endfor %}
        cast(least(units.numerator_value, scales.cap) - scales.numerator_pivot as decimal(19, 0)) as k
    from {{ ref('int_units_measured') }} as units
    inner join {{ ref('int_units_described') }} as described
        on units.experiment_id = described.experiment_id
        and units.phase = described.phase
        and units.unit_key = described.unit_key
    inner join {{ ref('int_metric_scales_set') }} as scales
        on units.experiment_id = scales.experiment_id and units.phase = scales.phase and units.metric = scales.metric

),

multiplied as (

    select
        *,
        {%- for pair in pairs %}
        {{ pair[0] }} * {{ pair[1] }} as {{ pair }},
        {%- endfor %}
        y * y * y as yyy,
        k * k as kk,
        k * k * k as kkk
    from centred

)

select
    experiment_id,
    phase,
    variation_id,
    metric,
    coalesce(matured_date, cohort_date) as matured_date,
    case
        {%- for segment in segments %}
        when grouping({{ segment }}) = 0 then '{{ segment }}'
        {%- endfor %}
        else 'all'
    end as segment_key,
    coalesce({{ segments | join(', ') }}, 'all') as segment_value,
    count(*) as unit_count,
    count(case when numerator_value <> 0 then 1 end) as nonzero_count,
    cast(sum(before_flag) as bigint) as before_count,
    {%- for term in statistic_terms() %}
    cast(sum({{ term }}) as decimal(38, 0)) as sum_{{ term }},
    {%- endfor %}
    max(numerator_value) as max_value
from multiplied
group by grouping sets (  -- noqa: PRS
    (experiment_id, phase, variation_id, metric, matured_date),
    {%- for segment in segments %}
    (experiment_id, phase, variation_id, metric, cohort_date, {{ segment }}){{ ',' if not loop.last }}
    {%- endfor %}
)
having
    coalesce({{ segments | join(', ') }}) is not null
    or grouping({{ segments | join(') + grouping(') }}) = {{ segments | length }}
