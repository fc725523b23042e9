-- Cohorts of value hold everybody who was ever active, once in each dimension but the tags: payers and others.
with

sized as (

    select
        cohort_grain,
        segment_dimension,
        sum(cohort_size) as people
    from (
        select distinct cohort_grain, cohort_date, segment_dimension, segment_value, cohort_size
        from {{ ref('int_cohort_values_aged') }}
    ) as cohorts
    where segment_dimension <> 'acquisition_tag'
    group by cohort_grain, segment_dimension

),

everybody as (

    select count(*) as people from {{ ref('int_persons_cohorted') }}

)

select
    sized.cohort_grain,
    sized.segment_dimension,
    sized.people,
    everybody.people as people_ever_active
from sized
cross join everybody
where sized.people <> everybody.people
