-- Everybody is new on one day and a member of one cohort: both sums are the people of the spine.
with

totals as (

    select
        (
            select sum(new_user_count)
            from {{ ref('agg_growth_accounting__daily') }}
            where window_days = 1
        ) as new_count,
        (
            select sum(cohort_size)
            from {{ ref('agg_cohort_time__ages') }}
            where age_days = 0
        ) as member_count,
        (select count(distinct person_id) from {{ ref('fct_user_days') }}) as person_count

)

select *
from totals
where coalesce(new_count, 0) <> person_count or coalesce(member_count, 0) <> person_count
