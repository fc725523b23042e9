{{ config(materialized='table') }}
{%- set low, high = number_var('causal_propensity_low'), number_var('causal_propensity_high') %}
-- How likely treatment was for people who are alike. Clipped: a stratum with one treated person in a thousand would
-- otherwise let that one person stand for all of them.
with

counted as (

    select
        question,
        reading,
        stratum,
        count(case when not is_treated then 1 end) as untreated_count,
        count(case when is_treated then 1 end) as treated_count
    from {{ ref('int_causal_persons_classified') }}
    group by question, reading, stratum

)

select
    question,
    reading,
    stratum,
    untreated_count,
    treated_count,
    {{ safe_divide('treated_count', '(untreated_count + treated_count)') }} as treated_share,
    least(greatest({{ safe_divide('treated_count', '(untreated_count + treated_count)') }}, {{ low }}), {{ high }})
        as propensity
from counted
