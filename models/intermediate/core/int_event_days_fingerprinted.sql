{{ config(materialized='table') }}

with

days as (

    select
        event_date,
        count(*) as event_count,
        count(bot_key) as bot_event_count,
        count(case when event_code = {{ code_of('event_name', 'bot_impression') }} then bot_key end)
            as impression_count,
        count(case when event_code = {{ code_of('event_name', 'bot_view') }} then bot_key end) as view_count,
        count(case when event_code = {{ code_of('event_name', 'message_sent') }} then conversation_key end)
            as conversation_message_count,
        cast(sum(event_checksum) as decimal(38, 0)) as event_checksum
    from {{ ref('int_events_resolved') }}
    group by event_date

)

select
    event_date,
    event_count,
    bot_event_count,
    impression_count,
    view_count,
    conversation_message_count,
    event_checksum,
    -- A click may follow its impression over midnight: such facts of a day depend on both neighbours.
    cast(
        event_checksum
        + coalesce(lag(event_checksum) over (order by event_date asc nulls last), 0)
        + coalesce(lead(event_checksum) over (order by event_date asc nulls last), 0)
        as decimal(38, 0)
    ) as neighbourhood_checksum
from days
