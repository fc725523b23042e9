{{ config(materialized='table') }}

with

gaps as (

    select
        activity_date,
        cast({{ day_diff(
            'activity_date',
            'lead(activity_date) over (partition by person_key order by activity_date asc nulls last)'
        ) }} as bigint) as gap_days
    from {{ ref('int_active_days_spined') }}

)

select
    activity_date,
    gap_days,
    count(*) as user_count
from gaps
group by activity_date, gap_days
