-- Segment (warehouse schema) -> events. Every track and every page is one event.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your tables here. Segment keeps the properties of an event in a table named after it; join those that
-- hold them: select tracks.*, message_sent.bot_id, ... from <schema>.tracks as tracks
-- left join <schema>.message_sent as message_sent on tracks.id = message_sent.id.
source_tracks as (

    select
        cast(null as string) as id,
        cast(null as timestamp) as sent_at,
        cast(null as timestamp) as received_at,
        cast(null as timestamp) as event_timestamp,
        cast(null as string) as anonymous_id,
        cast(null as string) as user_id,
        cast(null as string) as event,
        cast(null as string) as bot_id,
        cast(null as string) as conversation_id,
        cast(null as string) as feature,
        cast(null as string) as method,
        cast(null as string) as source,
        cast(null as bigint) as session_id,
        cast(null as string) as context_device_type,
        cast(null as string) as context_app_version,
        cast(null as double) as engaged_seconds,
        cast(null as double) as revenue_usd
    where 1 = 0

),

-- Put your table here: select ..., timestamp as event_timestamp from <schema>.pages.
source_pages as (

    select
        cast(null as string) as id,
        cast(null as timestamp) as received_at,
        cast(null as timestamp) as event_timestamp,
        cast(null as string) as anonymous_id,
        cast(null as string) as user_id,
        cast(null as bigint) as session_id,
        cast(null as string) as path,
        cast(null as string) as context_page_referrer
    where 1 = 0

),

tracked as (

    select
        id as event_id,
        event_timestamp as event_time,
        user_id,
        anonymous_id,
        session_id,
        -- Segment's own names; your own events keep theirs, and an unknown name is kept and counted.
        case event
            when 'application_opened' then 'app_open'
            when 'product_list_viewed' then 'bot_impression'
            when 'product_viewed' then 'bot_view'
            else event
        end as event_name,
        bot_id,
        conversation_id,
        feature,
        method,
        source,
        coalesce(lower(context_device_type), 'web') as platform,
        context_app_version as app_version,
        engaged_seconds,
        revenue_usd,
        received_at
    from source_tracks

),

-- A page of a bot is a view of the bot; any other page is an event of its own name.
viewed as (

    select
        id as event_id,
        event_timestamp as event_time,
        user_id,
        anonymous_id,
        session_id,
        case when path like '/bots/%' then 'bot_view' else 'page_viewed' end as event_name,
        case when path like '/bots/%' then split_part(path, '/', 3) end as bot_id,
        cast(null as string) as conversation_id,
        cast(null as string) as feature,
        cast(null as string) as method,
        case
            when context_page_referrer like '%/search%' then 'search'
            when context_page_referrer like '%/feed%' then 'feed'
        end as source,
        'web' as platform,
        cast(null as string) as app_version,
        cast(null as double) as engaged_seconds,
        cast(null as double) as revenue_usd,
        received_at
    from source_pages

),

together as (

    select * from tracked
    union all
    select * from viewed

)

select
    -- Segment sends again what it got no answer for, under the same id: staging keeps one.
    event_id,
    event_time,
    nullif(trim(user_id), '') as user_id,
    nullif(trim(anonymous_id), '') as anonymous_id,
    coalesce(user_id, anonymous_id) || '.' || cast(session_id as string) as session_id,
    event_name,
    bot_id,
    conversation_id,
    feature,
    method,
    source,
    platform,
    cast(null as string) as country,
    app_version,
    cast(engaged_seconds as decimal(18, 3)) as engaged_seconds,
    cast(revenue_usd as decimal(18, 6)) as revenue_usd,
    received_at as ingested_at
from together
