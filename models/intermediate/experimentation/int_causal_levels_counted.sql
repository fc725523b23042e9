{{ config(materialized='table') }}
-- How many treated and untreated people of each stratum are at each level of every covariate, of those held equal
-- and of those that are not: the latter tell whether holding some equal made the others alike too.
with

levels as (

    {% for covariate in causal_covariates() -%}
    select
        question,
        stratum,
        is_treated,
        '{{ covariate }}' as covariate,
        {{ covariate }} as covariate_level
    from {{ ref('int_causal_persons_classified') }}
    where reading = 'effect'
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (

    select
        levels.question,
        levels.covariate,
        levels.covariate_level,
        levels.stratum,
        ' ' || questions.covariates || ' ' like '% ' || levels.covariate || ' %' as is_held_equal,
        count(case when not levels.is_treated then 1 end) as untreated_count,
        count(case when levels.is_treated then 1 end) as treated_count
    from levels
    inner join {{ ref('causal_questions') }} as questions on levels.question = questions.question
    group by levels.question, questions.covariates, levels.covariate, levels.covariate_level, levels.stratum

)

select
    counted.question,
    counted.covariate,
    counted.covariate_level,
    counted.stratum,
    counted.is_held_equal,
    counted.untreated_count,
    counted.treated_count,
    strata.propensity
from counted
inner join {{ ref('int_causal_propensities_clipped') }} as strata
    on counted.question = strata.question
    and counted.stratum = strata.stratum
    and strata.reading = 'effect'
