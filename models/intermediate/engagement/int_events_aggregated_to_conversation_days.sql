{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('conversation_message_count', 'sum(message_count)', 'event_checksum') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
with

messages as (

    select
        conversation_key,
        person_key,
        bot_key,
        event_date,
        count(*) as message_count,
        count(*) filter (
            where method_code is distinct from {{ code_of('method', 'regenerate') }}
        ) as new_message_count,
        min(event_at) as first_message_at
    from {{ ref('int_events_resolved') }}
    where event_code = {{ message }} and conversation_key is not null and {{ on_days('event_date', touched) }}
    group by conversation_key, person_key, bot_key, event_date

)

select
    messages.conversation_key,
    messages.person_key,
    messages.bot_key,
    messages.message_count,
    messages.new_message_count,
    messages.first_message_at,
    days.event_checksum as day_checksum,
    messages.event_date
from messages
inner join {{ ref('int_event_days_fingerprinted') }} as days on messages.event_date = days.event_date
