-- Week ends: every Sunday and the last complete day. A Sunday stays a week end on every later day, so the score
-- of a finished week is the same figure tomorrow; the row of the running week settles when it is over.
with

bounds as (

    select
        min(days.activity_date) as first_date,
        max(as_of.as_of_date) as last_date
    from {{ ref('int_as_of') }} as as_of
    inner join {{ ref('stg_creators__creator_days') }} as days on as_of.as_of_date >= days.activity_date

),

dates as (

    select
        {{ date_spine_days('first_date', 'last_date') }} as calendar_date,
        last_date
    from bounds
    where first_date is not null

)

select
    calendar_date as week_end_date,
    {{ iso_day_of_week('calendar_date') }} = 7 as is_week_complete,
    calendar_date = last_date as is_latest
from dates
where ({{ iso_day_of_week('calendar_date') }} = 7 or calendar_date = last_date)
    and calendar_date > {{ add_days('last_date', '-7 * ' ~ number_var('creator_history_weeks')) }}
