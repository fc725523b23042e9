-- The spine: activity, retention and every count of active users read these rows and no others.
select
    person_key,
    event_date as activity_date
from {{ ref('int_user_days_classified') }}
where is_active and is_human
