{%- set horizon = number_var('retention_horizon_days') %}
-- A cell that is missing would read like one that is not over yet. How many a cohort must have follows from its
-- age alone: of age A, A + 1 single days, floor((A + 1) / 7) weeks of age, the whole horizon or none of it, and
-- the named windows that are over.
with

cells as (

    select * from {{ ref('agg_retention__cohorts') }}
    where cohort_grain = 'day'

),

-- Day 1 is the first window that segments have; who joined on the last complete day has none.
cohorts as (

    select
        persons.segment_dimension,
        persons.segment_value,
        persons.first_active_date as cohort_date,
        count(*) as cohort_size,
        max({{ day_diff('persons.first_active_date', 'as_of.as_of_date') }}) as age_days
    from {{ ref('int_persons_segmented') }} as persons
    cross join {{ ref('int_as_of') }} as as_of
    group by persons.segment_dimension, persons.segment_value, persons.first_active_date

),

named as (

    select
        retention_kind,
        first_day,
        case when retention_kind = 'rolling' then {{ horizon }} else last_day end as last_day,
        -- One of the numbered windows that everybody together has anyway.
        retention_kind <> 'bracket' or (first_day % 7 = 0 and last_day = first_day + 6) as is_numbered
    from {{ ref('retention_windows') }}

),

expected as (

    select
        cohorts.segment_dimension,
        cohorts.segment_value,
        cohorts.cohort_date,
        max(cohorts.cohort_size) as cohort_size,
        count(case
            when named.last_day <= cohorts.age_days
                and (cohorts.segment_dimension <> 'all' or not named.is_numbered)
                then 1
        end)
        + max(case
            when cohorts.segment_dimension = 'all'
                then cohorts.age_days + 1 + floor((cohorts.age_days + 1) / 7)
                    + case when cohorts.age_days >= {{ horizon }} then {{ horizon }} + 1 else 0 end
            else 0
        end) as cell_count
    from cohorts
    cross join named
    group by cohorts.segment_dimension, cohorts.segment_value, cohorts.cohort_date

),

found as (

    select
        segment_dimension,
        segment_value,
        cohort_date,
        min(cohort_size) as least_cohort_size,
        max(cohort_size) as greatest_cohort_size,
        count(*) as cell_count
    from cells
    group by segment_dimension, segment_value, cohort_date

)

select
    coalesce(expected.segment_dimension, found.segment_dimension) as segment_dimension,
    coalesce(expected.segment_value, found.segment_value) as segment_value,
    coalesce(expected.cohort_date, found.cohort_date) as cohort_date,
    expected.cell_count as expected_cell_count,
    found.cell_count as found_cell_count
from expected
full outer join found
    on expected.segment_dimension = found.segment_dimension
    and expected.segment_value = found.segment_value
    and expected.cohort_date = found.cohort_date
where coalesce(expected.cell_count, 0) <> coalesce(found.cell_count, 0)
    or found.least_cohort_size <> expected.cohort_size
    or found.greatest_cohort_size <> expected.cohort_size
