-- Days on which no message carried a conversation id have no row: nothing is known of their conversations.
with

messages as (

    select
        facts.event_date,
        cast(sum(facts.message_count) as bigint) as conversation_message_count
    from {{ ref('int_events_aggregated_to_conversation_days') }} as facts
    left join {{ ref('int_user_days_excluded') }} as excluded
        on facts.person_key = excluded.person_key and facts.event_date = excluded.event_date
    where excluded.person_key is null and facts.event_date <= {{ as_of_date() }}
    group by facts.event_date

),

started as (

    select
        started_date,
        count(*) as new_conversation_count
    from {{ ref('int_conversations_started') }}
    group by started_date

)

select
    messages.event_date,
    messages.conversation_message_count,
    coalesce(started.new_conversation_count, 0) as new_conversation_count
from messages
left join started on messages.event_date = started.started_date
