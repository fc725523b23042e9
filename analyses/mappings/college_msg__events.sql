-- CollegeMsg (private messages of a college network: sender, receiver, Unix seconds) -> events.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here, one row per line of the file with its number, for instance a table written by
-- select row_number() over () as line_number, * from read_csv('CollegeMsg.txt', ...).
source_rows as (

    select
        cast(null as bigint) as line_number,
        cast(null as bigint) as sender,
        cast(null as bigint) as receiver,
        cast(null as bigint) as unix_seconds
    where 1 = 0

)

select
    -- Two equal lines are two messages within one second, so content is no id here; the line is.
    cast(line_number as string) as event_id,
    {{ timestamp_from_us('unix_seconds * 1000000') }} as event_time,
    cast(sender as string) as user_id,
    cast(null as string) as anonymous_id,
    cast(null as string) as session_id,
    'message_sent' as event_name,
    -- The receiver takes the place of the bot: whom a person talks to.
    cast(receiver as string) as bot_id,
    cast(null as string) as conversation_id,
    cast(null as string) as feature,
    cast(null as string) as method,
    cast(null as string) as source,
    cast(null as string) as platform,
    cast(null as string) as country,
    cast(null as string) as app_version,
    cast(null as decimal(18, 3)) as engaged_seconds,
    cast(null as decimal(18, 6)) as revenue_usd,
    {{ timestamp_from_us('unix_seconds * 1000000') }} as ingested_at
from source_rows
