-- PostHog (batch export, properties as JSON text) -> events.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: the exported events. inserted_at is when the row reached PostHog.
source_rows as (

    select
        cast(null as string) as uuid,
        cast(null as string) as event,
        cast(null as string) as properties,
        cast(null as string) as distinct_id,
        cast(null as timestamp) as event_timestamp,
        cast(null as timestamp) as inserted_at
    where 1 = 0

),

opened as (

    select
        uuid,
        event,
        distinct_id,
        event_timestamp,
        inserted_at,
        {{ json_text('properties', '$user_id') }} as known_user_id,
        {{ json_text('properties', '$device_id') }} as device_id,
        {{ json_text('properties', '$session_id') }} as session_id,
        {{ json_text('properties', '$os') }} as device_system,
        {{ json_text('properties', '$lib') }} as library,
        {{ json_text('properties', '$geoip_country_code') }} as country,
        {{ json_text('properties', '$app_version') }} as app_version,
        {{ json_text('properties', 'bot_id') }} as bot_id,
        {{ json_text('properties', 'conversation_id') }} as conversation_id,
        {{ json_text('properties', 'feature') }} as feature,
        {{ json_text('properties', 'method') }} as method,
        {{ json_text('properties', 'source') }} as source,
        {{ json_text('properties', 'engaged_seconds') }} as engaged_seconds,
        {{ json_text('properties', 'revenue_usd') }} as revenue_usd
    from source_rows

)

select
    uuid as event_id,
    event_timestamp as event_time,
    -- distinct_id is the user after sign-in and the device before it; only $user_id says which.
    known_user_id as user_id,
    coalesce(device_id, case when known_user_id is null then distinct_id end) as anonymous_id,
    session_id,
    -- PostHog's own names; your own events keep theirs, and an unknown name is kept and counted.
    case event
        when 'Application Opened' then 'app_open'
        else event
    end as event_name,
    bot_id,
    conversation_id,
    feature,
    method,
    source,
    case
        when library = 'web' then 'web'
        when lower(device_system) in ('ios', 'ipados') then 'ios'
        when lower(device_system) = 'android' then 'android'
    end as platform,
    country,
    app_version,
    -- A number that is none stays null; it is optional and no reason to lose the event.
    try_cast(engaged_seconds as decimal(18, 3)) as engaged_seconds,
    try_cast(revenue_usd as decimal(18, 6)) as revenue_usd,
    inserted_at as ingested_at
from opened
