-- Person by person: the events of the sessions are the events of the days that count, none lost and none twice.
with

sessions as (

    select
        person_id,
        sum(event_count) as event_count,
        sum(message_count) as message_count,
        sum(cast(engaged_seconds * 1000 as bigint)) as engaged_ms
    from {{ ref('fct_sessions') }}
    group by person_id

),

days as (

    select
        persons.person_id,
        sum(days.event_count) as event_count,
        sum(days.message_sent_count) as message_count,
        sum(days.engaged_ms) as engaged_ms
    from {{ ref('int_user_days_classified') }} as days
    inner join {{ ref('int_persons_described') }} as persons on days.person_key = persons.person_key
    where days.is_human
    group by persons.person_id

)

select
    coalesce(sessions.person_id, days.person_id) as person_id,
    sessions.event_count as session_event_count,
    days.event_count as day_event_count,
    sessions.message_count as session_message_count,
    days.message_count as day_message_count,
    sessions.engaged_ms as session_engaged_ms,
    days.engaged_ms as day_engaged_ms
from sessions
full outer join days on sessions.person_id = days.person_id
where coalesce(sessions.event_count, 0) <> coalesce(days.event_count, 0)
    or coalesce(sessions.message_count, 0) <> coalesce(days.message_count, 0)
    or coalesce(sessions.engaged_ms, 0) <> coalesce(days.engaged_ms, 0)
