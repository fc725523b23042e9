{{ config(materialized='table') }}
{%- set names = ['outcome', 'before', 'earlier'] %}
-- All that the estimates need to know of people, exactly. A reading about nobody keeps one row, so that its estimate
-- is null with a reason and not absent.
with

summed as (

    select
        question,
        reading,
        stratum,
        is_treated,
        count(*) as person_count,
        {%- for name in names %}
        sum({{ name }}_value) as {{ name }}_sum,
        {%- endfor %}
        sum(outcome_value * outcome_value) as outcome_outcome_sum,
        sum(outcome_value * before_value) as outcome_before_sum,
        sum(outcome_value * earlier_value) as outcome_earlier_sum,
        sum(before_value * before_value) as before_before_sum,
        sum(before_value * earlier_value) as before_earlier_sum,
        sum(earlier_value * earlier_value) as earlier_earlier_sum
    from {{ ref('int_causal_persons_classified') }}
    group by question, reading, stratum, is_treated

)

select
    readings.question,
    readings.reading,
    readings.methods,
    readings.outcome_kind,
    readings.has_before,
    readings.has_earlier,
    coalesce(summed.stratum, 'nobody') as stratum,
    coalesce(summed.is_treated, false) as is_treated,
    coalesce(summed.person_count, 0) as person_count,
    propensities.treated_share,
    propensities.propensity,
    {%- for name in names %}
    coalesce(summed.{{ name }}_sum, 0) as {{ name }}_sum,
    {%- endfor %}
    coalesce(summed.outcome_outcome_sum, 0) as outcome_outcome_sum,
    coalesce(summed.outcome_before_sum, 0) as outcome_before_sum,
    coalesce(summed.outcome_earlier_sum, 0) as outcome_earlier_sum,
    coalesce(summed.before_before_sum, 0) as before_before_sum,
    coalesce(summed.before_earlier_sum, 0) as before_earlier_sum,
    coalesce(summed.earlier_earlier_sum, 0) as earlier_earlier_sum
from {{ ref('int_causal_readings_listed') }} as readings
left join summed on readings.question = summed.question and readings.reading = summed.reading
left join {{ ref('int_causal_propensities_clipped') }} as propensities
    on summed.question = propensities.question
    and summed.reading = propensities.reading
    and summed.stratum = propensities.stratum
