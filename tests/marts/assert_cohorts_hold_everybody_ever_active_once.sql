-- Everybody who was ever active joined once: cohorts, daily counts of new people and the spine count the same
-- people. (Segments add up to everybody: assert_segments_of_a_cohort_add_up_to_everybody.)
with

counted as (

    select
        'cohorts' as counted_in,
        sum(cohort_size) as person_count
    from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'
        and segment_dimension = 'all'
        and retention_kind = 'exact'
        and first_day = 0
    union all
    select
        'new_users',
        sum(new_user_count)
    from {{ ref('agg_new_user_retention__daily') }}

),

people as (

    select count(distinct person_id) as person_count
    from {{ ref('fct_user_days') }}

)

select
    counted.counted_in,
    counted.person_count,
    people.person_count as spine_person_count
from counted
cross join people
where coalesce(counted.person_count, 0) <> people.person_count
