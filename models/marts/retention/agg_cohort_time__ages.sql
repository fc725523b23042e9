with

cohorts as (

    select
        first_active_date as cohort_date,
        count(*) as cohort_size
    from {{ ref('int_persons_cohorted') }}
    group by first_active_date

),

-- Every cohort at every age it has reached; a day on which no member came leaves the sums where they were.
cells as (

    select
        cohorts.cohort_date,
        cohorts.cohort_size,
        {{ day_diff('cohorts.cohort_date', 'days.calendar_date') }} as age_days,
        coalesce(times.active_days_count, 0) as active_days_count,
        coalesce(times.session_ms, 0) as session_ms
    from cohorts
    inner join {{ ref('int_dates_spined') }} as days on cohorts.cohort_date <= days.calendar_date
    left join {{ ref('int_cohort_times_aggregated_to_days') }} as times
        on cohorts.cohort_date = times.cohort_date and days.calendar_date = times.activity_date

),

accumulated as (

    select
        cohort_date,
        age_days,
        cohort_size,
        sum(active_days_count) over so_far as active_days_count,
        sum(session_ms) over so_far as session_ms
    from cells
    window so_far as (
        partition by cohort_date order by age_days asc nulls last rows between unbounded preceding and current row
    )

)

select
    cohort_date,
    cast(age_days as bigint) as age_days,

    cohort_size,
    cast(active_days_count as bigint) as active_days_count,
    {{ safe_divide('active_days_count', 'cohort_size') }} as active_days_per_member,
    cast(session_ms as bigint) as session_ms,
    {{ safe_divide('session_ms', 'cohort_size * 1000') }} as session_seconds_per_member,

    {{ is_final(add_days('cohort_date', 'age_days')) }} as is_final
from accumulated
