-- Every person ever active has a share of active days: the two sides hold exactly who belongs to them. Summed
-- over people, the days that the raw rows divide are the rows of the spine.
with

days as (

    select
        person_key,
        count(*) as active_days
    from {{ ref('int_active_days_spined') }}
    where activity_date > {{ add_days(as_of_date(), '-' ~ number_var('comparison_days')) }}
    group by person_key

),

expected as (

    select
        members.comparison,
        count(case when members.side = 'a' then 1 end) as people_a_count,
        count(case when members.side = 'b' then 1 end) as people_b_count,
        coalesce(sum(case when members.side = 'a' then days.active_days end), 0) as days_a,
        coalesce(sum(case when members.side = 'b' then days.active_days end), 0) as days_b
    from {{ ref('int_group_members_listed') }} as members
    left join days on members.person_key = days.person_key
    group by members.comparison

),

found as (

    select * from {{ ref('agg_group_comparisons') }}
    where metric = 'active_day_share' and adjustment = 'raw'

)

select
    coalesce(expected.comparison, found.comparison) as comparison,
    expected.people_a_count,
    found.people_a_count as found_a_count,
    expected.people_b_count,
    found.people_b_count as found_b_count,
    expected.days_a,
    found.numerator_a,
    expected.days_b,
    found.numerator_b
from expected
full outer join found on expected.comparison = found.comparison
where expected.comparison is null
    or found.comparison is null
    or expected.people_a_count <> found.people_a_count
    or expected.people_b_count <> found.people_b_count
    or expected.days_a <> found.numerator_a
    or expected.days_b <> found.numerator_b
