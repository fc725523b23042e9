-- A judge's confusion table against people and its kappa with them are made of the same pairs of grades.
with

confusions as (

    select
        subject,
        rater_id,
        sum(pair_count) as pair_count,
        sum(case when human_value = rater_value then pair_count else 0 end) as equal_count
    from {{ ref('agg_rater_confusions') }}
    group by subject, rater_id

)

select
    agreements.subject,
    agreements.rater_id
from {{ ref('agg_rater_agreements') }} as agreements
left join confusions
    on agreements.subject = confusions.subject and agreements.rater_id = confusions.rater_id
where agreements.other_rater_id = 'humans' and agreements.rater_id <> 'humans'
    and (
        confusions.rater_id is null
        or confusions.pair_count <> agreements.pair_count
        or abs(confusions.equal_count - agreements.agreement_rate * agreements.pair_count) > 0.000001
    )
