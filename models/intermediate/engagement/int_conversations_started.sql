{{ config(materialized='table') }}

-- A conversation is its id: it belongs to the person and the bot of its first message, and to that day.
with

conversation_days as (

    select facts.*
    from {{ ref('int_events_aggregated_to_conversation_days') }} as facts
    left join {{ ref('int_user_days_excluded') }} as excluded
        on facts.person_key = excluded.person_key and facts.event_date = excluded.event_date
    where excluded.person_key is null and facts.event_date <= {{ as_of_date() }}

)

select
    conversation_key,
    {{ first_by('person_key', ['first_message_at', 'person_key', 'coalesce(bot_key, -1)']) }} as person_key,
    nullif(
        {{ first_by('coalesce(bot_key, -1)', ['first_message_at', 'person_key', 'coalesce(bot_key, -1)']) }}, -1
    ) as bot_key,
    min(event_date) as started_date,
    max(event_date) as last_message_date,
    count(distinct event_date) as message_days,
    cast(sum(message_count) as bigint) as message_count,
    cast(sum(new_message_count) as bigint) as new_message_count
from conversation_days
group by conversation_key
