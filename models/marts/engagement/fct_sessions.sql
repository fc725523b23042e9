with

sessions as (

    select
        *,
        row_number() over (
            partition by person_key
            order by
                started_at asc nulls last,
                ended_at asc nulls last,
                event_count asc nulls last,
                engaged_ms asc nulls last,
                stitched_key asc nulls last
        ) as session_number
    from {{ ref('int_sessions_stitched') }}

)

select
    persons.person_id,
    sessions.session_number,

    sessions.session_date,
    sessions.started_at,
    sessions.ended_at,

    sessions.event_count,
    sessions.view_count,
    sessions.message_count,
    sessions.new_message_count,
    sessions.feature_use_count,
    cast(bit_count(sessions.feature_mask) as bigint) as feature_count,
    cast(sessions.engaged_ms / 1000 as decimal(18, 3)) as engaged_seconds,
    cast(sessions.duration_ms / 1000 as decimal(18, 3)) as duration_seconds,

    sessions.event_count = 1 as is_bounce,
    {{ is_final('sessions.session_date') }} as is_final
from sessions
inner join {{ ref('int_persons_described') }} as persons on sessions.person_key = persons.person_key
