{{ config(materialized='table') }}
{%- set names = ['outcome', 'before', 'earlier'] %}
{%- set low, high = number_var('causal_propensity_low'), number_var('causal_propensity_high') %}
-- All that the estimates need to know of people, exactly, and how likely treatment was in each stratum. A reading
-- about nobody keeps one row, so that its estimate is null with a reason and not absent.
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

),

shared as (

    select
        summed.*,
        {{ safe_divide(
            'sum(case when is_treated then person_count else 0 end) over (partition by question, reading, stratum)',
            'sum(person_count) over (partition by question, reading, stratum)'
        ) }} as treated_share
    from summed

)

select
    readings.question,
    readings.reading,
    readings.methods,
    readings.outcome_kind,
    readings.has_before,
    readings.has_earlier,
    coalesce(shared.stratum, 'nobody') as stratum,
    coalesce(shared.is_treated, false) as is_treated,
    coalesce(shared.person_count, 0) as person_count,
    shared.treated_share,
    least(greatest(shared.treated_share, {{ low }}), {{ high }}) as propensity,
    {%- for name in names %}
    coalesce(shared.{{ name }}_sum, 0) as {{ name }}_sum,
    {%- endfor %}
    coalesce(shared.outcome_outcome_sum, 0) as outcome_outcome_sum,
    coalesce(shared.outcome_before_sum, 0) as outcome_before_sum,
    coalesce(shared.outcome_earlier_sum, 0) as outcome_earlier_sum,
    coalesce(shared.before_before_sum, 0) as before_before_sum,
    coalesce(shared.before_earlier_sum, 0) as before_earlier_sum,
    coalesce(shared.earlier_earlier_sum, 0) as earlier_earlier_sum
from {{ ref('int_causal_readings_listed') }} as readings
left join shared on readings.question = shared.question and readings.reading = shared.reading
