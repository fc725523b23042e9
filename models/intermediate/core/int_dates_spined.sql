-- Every day from the first event to the last complete day: a quiet day is a row, not a gap.
with

bounds as (

    select
        min(days.event_date) as first_date,
        max(as_of.as_of_date) as last_date
    from {{ ref('int_as_of') }} as as_of
    inner join {{ ref('int_event_days_fingerprinted') }} as days on as_of.as_of_date >= days.event_date

)

select {{ date_spine_days('first_date', 'last_date') }} as calendar_date
from bounds
where first_date is not null
