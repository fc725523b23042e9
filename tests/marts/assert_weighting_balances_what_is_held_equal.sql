-- Where no propensity was clipped, people weighted to be alike in a covariate are alike in it.
select
    balances.question,
    balances.covariate,
    balances.covariate_level,
    balances.standardised_difference_after
from {{ ref('agg_causal_balance') }} as balances
inner join {{ ref('fct_causal_estimates') }} as estimates
    on balances.question = estimates.question
    and estimates.reading = 'effect'
    and estimates.method = 'aipw'
where balances.is_held_equal
    and estimates.clipped_rate = 0
    and abs(balances.standardised_difference_after) > 0.000000001
