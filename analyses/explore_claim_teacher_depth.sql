-- Do teachers chat deeper than students?
--
-- Teachers write a little more within four weeks because they are there on more days, not because they say more
-- when they are there: among people who were there on as many days the difference is gone (planted: chats of
-- teachers are as long as those of students, and teachers come back somewhat more often). Advertisements, which
-- nobody's role decides, show the same picture: more as it stands, no more on as many days. Being a teacher is not
-- a treatment anybody could assign, so no adjustment makes this an effect: it describes who they are. On a small
-- sample both rows lie within chance, or there are too few people who are alike.
with

estimates as (

    select * from {{ ref('fct_causal_estimates') }}
    where question in ('teacher_depth')

)

select
    question,
    claim,
    reading,
    method,
    untreated_count,
    treated_count,
    untreated_value,
    treated_value,
    estimate,
    estimate_low,
    estimate_high,
    p_value,
    e_value_low,
    has_parted_before,
    verdict,
    explanation,
    reason
from estimates
order by
    question asc nulls last,
    case reading when 'effect' then 1 when 'negative_control' then 2 else 3 end asc nulls last,
    case method when 'naive' then 1 when 'aipw' then 2 else 3 end asc nulls last,
    method asc nulls last
