-- Google Analytics 4 (BigQuery export, flattened as in the README) -> events.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: the flattened export, one row per event.
source_rows as (

    select
        cast(null as bigint) as event_timestamp,
        cast(null as string) as event_name,
        cast(null as string) as user_id,
        cast(null as string) as user_pseudo_id,
        cast(null as bigint) as ga_session_id,
        cast(null as bigint) as batch_page_id,
        cast(null as bigint) as batch_ordering_id,
        cast(null as bigint) as batch_event_index,
        cast(null as bigint) as engagement_time_msec,
        cast(null as string) as item_id,
        cast(null as string) as conversation_id,
        cast(null as string) as feature,
        cast(null as string) as method,
        cast(null as string) as source,
        cast(null as string) as platform,
        cast(null as string) as country_code,
        cast(null as string) as app_version,
        cast(null as double) as value,
        cast(null as string) as currency,
        cast(null as timestamp) as exported_at
    where 1 = 0

),

-- The export has no event id. One device sends an event once per place in a batch, so these together are one.
keyed as (

    select
        *,
        md5(
            coalesce('=' || replace(user_pseudo_id, '|', '||'), '~')
            || '|' || coalesce(cast(event_timestamp as string), '~')
            || '|' || coalesce('=' || replace(event_name, '|', '||'), '~')
            || '|' || coalesce(cast(batch_page_id as string), '~')
            || '|' || coalesce(cast(batch_ordering_id as string), '~')
            || '|' || coalesce(cast(batch_event_index as string), '~')
        ) as event_id
    from source_rows

)

select
    event_id,
    {{ timestamp_from_us('event_timestamp') }} as event_time,
    nullif(trim(user_id), '') as user_id,
    user_pseudo_id as anonymous_id,
    -- ga_session_id is a start time: it is one only together with the device.
    user_pseudo_id || '.' || cast(ga_session_id as string) as session_id,
    -- Google's own names; your own events keep theirs, and an unknown name is kept and counted.
    case event_name
        when 'session_start' then 'app_open'
        when 'view_item_list' then 'bot_impression'
        when 'select_item' then 'bot_view'
        else event_name
    end as event_name,
    item_id as bot_id,
    conversation_id,
    feature,
    method,
    source,
    case lower(platform)
        when 'ios' then 'ios'
        when 'android' then 'android'
        when 'web' then 'web'
    end as platform,
    -- Google exports names of countries; the flattening turns them into ISO codes or leaves null.
    country_code as country,
    app_version,
    cast(cast(engagement_time_msec as decimal(18, 3)) / 1000 as decimal(18, 3)) as engaged_seconds,
    -- Other currencies wait for a rate rather than pass as dollars.
    cast(case when event_name = 'ad_impression' and currency = 'USD' then value end as decimal(18, 6)) as revenue_usd,
    exported_at as ingested_at
from keyed
