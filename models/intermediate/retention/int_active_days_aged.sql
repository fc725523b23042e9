{{ config(materialized='table') }}

-- Age is a difference of calendar days: a day of 23 or 25 hours counts as one.
select
    days.person_key,
    persons.first_active_date,
    days.activity_date,
    cast({{ day_diff('persons.first_active_date', 'days.activity_date') }} as bigint) as age_days
from {{ ref('int_active_days_spined') }} as days
inner join {{ ref('int_persons_cohorted') }} as persons on days.person_key = persons.person_key
