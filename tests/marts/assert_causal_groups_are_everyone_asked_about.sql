-- Everyone is at exactly one level of every covariate, on the side the plain comparison counts them on.
with

levels as (

    select
        question,
        covariate,
        min(untreated_count) as untreated_count,
        min(treated_count) as treated_count,
        sum(untreated_level_count) as untreated_level_count,
        sum(treated_level_count) as treated_level_count
    from {{ ref('agg_causal_balance') }}
    group by question, covariate

)

select
    levels.*,
    estimates.untreated_count as compared_untreated_count,
    estimates.treated_count as compared_treated_count
from levels
inner join {{ ref('fct_causal_estimates') }} as estimates
    on levels.question = estimates.question
    and estimates.reading = 'effect'
    and estimates.method = 'naive'
where levels.untreated_level_count <> levels.untreated_count
    or levels.treated_level_count <> levels.treated_count
    or levels.untreated_count <> estimates.untreated_count
    or levels.treated_count <> estimates.treated_count
