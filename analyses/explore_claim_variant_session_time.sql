-- Do people with the new variant spend more time?
--
-- As a team would compare it (variant users against everyone else) the variant is a triumph: most of everyone else
-- had left before it began, and only who came could see it. Among people who were there on as many days the
-- difference shrinks to what the lot says, the row randomised: who of those who came saw the variant was drawn
-- (planted: a few more chats, so a little more time). The adjusted row is even narrower than the randomised one,
-- as holding use equal takes out the noise of heavy users; it is right only because the variant does not change
-- how often people come. Where the lot exists, believe the lot.
with

estimates as (

    select * from {{ ref('fct_causal_estimates') }}
    where question = 'variant_session_time' and reading = 'effect'

),

drawn as (

    select * from {{ ref('fct_experiment_results') }}
    where experiment_id = 'x01'
        and phase = 0
        and variation_id = 'treatment'
        and metric = 'session_time_14d'
        and method = 'plain'
        and cohort = 'matured'
        and segment_key = 'all'

)

select
    method as comparison,
    untreated_count,
    treated_count,
    untreated_value,
    treated_value,
    estimate,
    estimate_low,
    estimate_high,
    p_value,
    explanation
from estimates
union all
select
    'randomised' as comparison,
    control_unit_count as untreated_count,
    treatment_unit_count as treated_count,
    control_value as untreated_value,
    treatment_value as treated_value,
    difference as estimate,
    difference_low as estimate_low,
    difference_high as estimate_high,
    p_value,
    'The experiment: who saw the variant was drawn by lot among those who came.' as explanation
from drawn
order by comparison asc nulls last
