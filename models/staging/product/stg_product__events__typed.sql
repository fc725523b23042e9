-- A view: the engine reads only the columns and days that a reader of it asks for.
with

landed as (

    select * from {{ raw('events') }}

)

select
    event_id,
    user_id,
    anonymous_id,
    session_id,
    event_name,
    bot_id,
    conversation_id,
    feature,
    method,
    source,
    platform,
    country,
    app_version,
    engaged_seconds,
    revenue_usd,
    event_time,
    ingested_at,
    load_id,
    event_time as event_at,
    {{ landed_date('events') }} as landed_date,
    {{ reporting_date('event_time') }} as event_date,

    {{ entity_key('load_id') }} as load_key,
    {{ entity_key('event_id') }} as event_key,
    {{ entity_key('user_id') }} as user_key,
    {{ entity_key('anonymous_id') }} as anonymous_key,
    {{ entity_key('bot_id') }} as bot_key,
    {{ entity_key('session_id') }} as session_key,
    {{ entity_key('conversation_id') }} as conversation_key,
    {{ combined_key(['feature', 'method', 'source', 'platform', 'country', 'app_version']) }} as context_key,

    {{ known_code('events', 'event_name') }} as event_code,
    {{ known_code('events', 'feature') }} as feature_code,
    {{ known_code('events', 'method') }} as method_code,
    cast(engaged_seconds * 1000 as bigint) as engaged_ms,
    cast(revenue_usd * 1000000 as bigint) as revenue_micros,
    {{ judgement('events') }} as quarantine_reason
from landed
