{%- set sides = {'y': 'numerator', 'd': 'denominator', 'x': 'before_numerator', 'z': 'before_denominator'} -%}
{%- set pairs = ['yy', 'yd', 'yx', 'yz', 'dd', 'dx', 'dz', 'xx', 'xz', 'zz'] -%}
-- What is summed over units: values taken from a whole number near the mean (scales), which keeps the squares
-- small, and their products.
with

centred as (

    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        units.unit_key,
        units.metric,
        units.matured_date,
        -- Segments are not followed day by day: for them a window is closed or it is not.
        case
            when units.matured_date <= {{ as_of_date() }} then {{ as_of_date() }}
            else cast('9999-12-31' as date)
        end as cohort_date,
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
    inner join {{ ref('int_metric_scales_set') }} as scales
        on units.experiment_id = scales.experiment_id and units.phase = scales.phase and units.metric = scales.metric

)

select
    *,
    {%- for pair in pairs %}
    {{ pair[0] }} * {{ pair[1] }} as {{ pair }},
    {%- endfor %}
    y * y * y as yyy,
    k * k as kk,
    k * k * k as kkk
from centred
