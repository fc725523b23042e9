-- A view: person resolution is one probe of a small table, and a late link restates all history at once.
with

events as (

    select * from {{ ref('stg_product__events') }}

),

links as (

    select * from {{ ref('int_identity_links_resolved') }}

)

select
    events.event_key,
    coalesce(events.user_key, links.user_key, events.anonymous_key) as person_key,
    events.bot_key,
    events.session_key,
    events.conversation_key,
    events.context_key,
    events.event_at,
    events.event_date,
    events.event_code,
    events.feature_code,
    events.method_code,
    events.unknown_event_name,
    events.engaged_ms,
    events.revenue_micros,
    -- A link that comes later changes the person of an event, so it must change the checksum too.
    case
        when events.user_key is not null then events.row_checksum
        else {{ row_checksum(['events.row_checksum', 'links.user_key']) }}
    end as event_checksum
from events
-- The condition stands inside the key: beside it, it would turn the join into a nested loop.
left join links
    on case when events.user_key is null then events.anonymous_key end = links.anonymous_key
