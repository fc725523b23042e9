{{ config(materialized='table') }}

-- Few user-days do not count; whoever reads facts of people asks this small table.
select
    person_key,
    event_date
from {{ ref('int_user_days_classified') }}
where not is_human
