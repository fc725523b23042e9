-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('events', mapped=['user_id']); all others must be there in a fitting type.
select
    cast(event_id as string) as event_id,
    cast(event_time as timestamp) as event_time,
    cast(user_id as string) as user_id,
    cast(anonymous_id as string) as anonymous_id,
    cast(session_id as string) as session_id,
    cast(event_name as string) as event_name,
    cast(bot_id as string) as bot_id,
    cast(conversation_id as string) as conversation_id,
    cast(feature as string) as feature,
    cast(method as string) as method,
    cast(source as string) as source,
    cast(platform as string) as platform,
    cast(country as string) as country,
    cast(app_version as string) as app_version,
    cast(engaged_seconds as decimal(18,3)) as engaged_seconds,
    cast(revenue_usd as decimal(18,6)) as revenue_usd,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('events') }}
