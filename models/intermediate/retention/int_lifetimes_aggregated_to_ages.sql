{{ config(materialized='table') }}

-- Whoever lapses or leaves the watch at an age was at risk at that age and at all ages before it.
with

ended as (

    select
        segments.segment_dimension,
        segments.segment_value,
        lifetimes.lifetime_days as age_days,
        count(case when lifetimes.is_lapsed then 1 end) as lapsed_count,
        count(case when not lifetimes.is_lapsed then 1 end) as censored_count
    from {{ ref('int_lifetimes_measured') }} as lifetimes
    inner join {{ ref('int_persons_segmented') }} as segments on lifetimes.person_key = segments.person_key
    group by segments.segment_dimension, segments.segment_value, lifetimes.lifetime_days

),

lengths as (

    select
        segment_dimension,
        segment_value,
        max(age_days) as last_age_days
    from ended
    group by segment_dimension, segment_value

),

numbers as (

    select row_number() over (order by calendar_date asc nulls last) - 1 as age_days
    from {{ ref('int_dates_spined') }}

),

-- An age at which nothing happens is a row as well, from the first active day on.
grid as (

    select
        lengths.segment_dimension,
        lengths.segment_value,
        numbers.age_days
    from lengths
    inner join numbers on lengths.last_age_days >= numbers.age_days

),

filled as (

    select
        grid.segment_dimension,
        grid.segment_value,
        grid.age_days,
        coalesce(ended.lapsed_count, 0) as lapsed_count,
        coalesce(ended.censored_count, 0) as censored_count
    from grid
    left join ended
        on grid.segment_dimension = ended.segment_dimension
        and grid.segment_value = ended.segment_value
        and grid.age_days = ended.age_days

)

select
    segment_dimension,
    segment_value,
    cast(age_days as bigint) as age_days,
    cast(sum(lapsed_count + censored_count) over (
        partition by segment_dimension, segment_value
        order by age_days desc nulls last rows between unbounded preceding and current row
    ) as bigint) as at_risk_count,
    lapsed_count,
    censored_count
from filled
