-- Does a good first week tell who stays? By role: who comes back within days 1 to 7, and who of the very same
-- people is still seen four to eight weeks after joining (day 28 or later, up to day 56)?
--
-- No. On the shipped sample (as of July 18, 2026) the first week hardly tells the roles apart and puts teachers
-- first: 64 % of 36 teachers, 61 % of 122 consumers and 58 % of 83 students came back in it, with intervals that
-- cover one another. Four weeks on, teachers are last by far: 17 % (6 of 36; 95 % interval 8 to 32 %) against
-- 44 % of consumers (36 to 53 %) and 40 % of students (30 to 51 %). A change judged by the first week alone would
-- have called teachers the best audience. 36 teachers are few: the gap is outside chance, its size is not known.
with

-- One and the same people in both windows: only cohorts for which the later window is over.
cells as (

    select
        segment_value as role,
        cohort_date,
        cohort_size,
        sum(case when window_name = 'days_1_7' then returned_count end) as first_week_count,
        sum(case when window_name = 'rolling_28' then returned_count end) as later_count
    from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'
        and segment_dimension = 'role'
        and window_name in ('days_1_7', 'rolling_28')
    group by segment_value, cohort_date, cohort_size

),

roles as (

    select
        role,
        sum(cohort_size) as person_count,
        sum(first_week_count) as first_week_count,
        sum(later_count) as later_count
    from cells
    where later_count is not null
    group by role

)

select
    role,
    person_count,
    first_week_count,
    {{ safe_divide('first_week_count', 'person_count') }} as first_week_rate,
    {{ wilson_bound('first_week_count', 'person_count', 'low') }} as first_week_rate_low,
    {{ wilson_bound('first_week_count', 'person_count', 'high') }} as first_week_rate_high,
    later_count,
    {{ safe_divide('later_count', 'person_count') }} as later_rate,
    {{ wilson_bound('later_count', 'person_count', 'low') }} as later_rate_low,
    {{ wilson_bound('later_count', 'person_count', 'high') }} as later_rate_high
from roles
order by later_rate desc nulls last, role asc nulls last
