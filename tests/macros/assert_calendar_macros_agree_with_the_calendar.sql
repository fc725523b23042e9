-- A Sunday, the Monday after it, a leap day and the turn of a year, with what a calendar on the wall says.
with

days as (

    select cast('2026-01-04' as date) as day, 7 as day_of_week, cast('2026-01-05' as date) as next_day
    union all
    select cast('2026-01-05' as date), 1, cast('2026-01-06' as date)
    union all
    select cast('2024-02-28' as date), 3, cast('2024-02-29' as date)
    union all
    select cast('2025-12-31' as date), 3, cast('2026-01-01' as date)

)

select
    day,
    {{ iso_day_of_week('day') }} as day_of_week,
    {{ add_days('day', 1) }} as next_day,
    {{ day_diff('day', 'next_day') }} as day_count
from days
where {{ iso_day_of_week('day') }} <> day_of_week
    or {{ add_days('day', 1) }} <> next_day
    or {{ add_days('next_day', -1) }} <> day
    or {{ day_diff('day', 'next_day') }} <> 1
    or {{ day_diff('next_day', 'day') }} <> -1
