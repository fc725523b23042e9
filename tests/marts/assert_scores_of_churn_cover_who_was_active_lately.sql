-- Everybody active in the days up to the last complete one has one score, and nobody else has.
with

active as (

    select
        persons.person_id,
        max(days.activity_date) as last_active_date
    from {{ ref('int_active_days_spined') }} as days
    inner join {{ ref('int_persons_described') }} as persons on days.person_key = persons.person_key
    group by persons.person_id

)

select
    active.person_id,
    scores.person_id as scored_person_id
from active
full outer join {{ ref('fct_churn_scores') }} as scores on active.person_id = scores.person_id
where
    coalesce(
        active.last_active_date > {{ add_days(as_of_date(), '-' ~ number_var('churn_days')) }}, false
    ) <> (scores.person_id is not null)
