{{ config(materialized='table') }}

-- A person joins on the first active day ever. Country and platform are those of that day, so that a cohort
-- never changes its members; what the account says is the fallback.
with

days as (

    select
        person_key,
        min(event_date) as first_active_date,
        max(event_date) as last_active_date,
        count(*) as active_days_count,
        {{ first_by('first_context_key', ['event_date']) }} as first_context_key
    from {{ ref('int_user_days_classified') }}
    where is_active and is_human
    group by person_key

)

select
    days.person_key,
    days.first_active_date,
    days.last_active_date,
    days.active_days_count,
    case when contexts.country <> 'unknown' then contexts.country else persons.country end as country,
    case when contexts.platform <> 'unknown' then contexts.platform else persons.platform end as platform,
    persons.role,
    persons.language,
    persons.acquisition_channel
from days
inner join {{ ref('int_persons_described') }} as persons on days.person_key = persons.person_key
left join {{ ref('int_event_contexts_distinct') }} as contexts on days.first_context_key = contexts.context_key
