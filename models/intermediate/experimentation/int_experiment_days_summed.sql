{{ config(materialized='table') }}
{%- set segments = ['role', 'country', 'platform', 'tenure', 'workflow'] -%}
-- Sums over units by the day on which their window closed: whole numbers, so that days, arms and segments add
-- up without loss. Experiments that were counted elsewhere join here.
with

centred as (

    select
        {%- for segment in segments %}
        described.{{ segment }},
        {%- endfor %}
        units.*
    from {{ ref('int_units_centred') }} as units
    inner join {{ ref('int_units_described') }} as described
        on units.experiment_id = described.experiment_id
        and units.phase = described.phase
        and units.unit_key = described.unit_key

)

select
    experiment_id,
    phase,
    variation_id,
    metric,
    matured_date,
    segment_key,
    segment_value,
    unit_count,
    nonzero_count,
    before_count,
    {%- for term in statistic_terms() %}
    sum_{{ term }},
    {%- endfor %}
    max_value
from {{ ref('int_experiment_counts_summed') }}
union all
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
from centred
group by grouping sets (  -- noqa: PRS
    (experiment_id, phase, variation_id, metric, matured_date),
    {%- for segment in segments %}
    (experiment_id, phase, variation_id, metric, cohort_date, {{ segment }}){{ ',' if not loop.last }}
    {%- endfor %}
)
having
    coalesce({{ segments | join(', ') }}) is not null
    or grouping({{ segments | join(') + grouping(') }}) = {{ segments | length }}
