{{ config(materialized='table') }}

-- Few sets of windows occur: people are counted by set, and only the counts are spread over windows.
with

returned as (

    select
        days.person_key,
        bit_or(ages.window_mask) as window_mask
    from {{ ref('int_active_days_aged') }} as days
    inner join {{ ref('int_retention_ages_masked') }} as ages on days.age_days = ages.age_days
    group by days.person_key

),

counted as (

    select
        persons.segment_dimension,
        persons.segment_value,
        persons.first_active_date,
        returned.window_mask,
        count(*) as person_count
    from returned
    inner join {{ ref('int_persons_segmented') }} as persons on returned.person_key = persons.person_key
    group by persons.segment_dimension, persons.segment_value, persons.first_active_date, returned.window_mask

)

select
    counted.segment_dimension,
    counted.segment_value,
    counted.first_active_date as cohort_date,
    windows.window_name,
    cast(sum(counted.person_count) as bigint) as returned_count
from counted
inner join {{ ref('int_retention_windows_listed') }} as windows on (counted.window_mask & windows.window_bit) <> 0
group by counted.segment_dimension, counted.segment_value, counted.first_active_date, windows.window_name
