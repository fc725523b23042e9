-- Flat education log -> events. One row of the log is one use of a feature.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: select * from <database>.<schema>.<education log>.
source_rows as (

    select
        cast(null as string) as user_id,
        cast(null as string) as session_id,
        cast(null as timestamp) as event_time,
        cast(null as string) as feature_used,
        cast(null as double) as engagement_time,
        cast(null as boolean) as is_teacher,
        cast(null as string) as experiment_group,
        cast(null as double) as llm_rating,
        cast(null as boolean) as retained_7d,
        cast(null as boolean) as retained_30d,
        cast(null as string) as subscription
    where 1 = 0

),

-- The log has no event id. Its content is one: a row delivered twice gets the same id twice, and staging
-- keeps one copy. Ratings and labels stay out of it: they are filled in later and do not make a new event.
keyed as (

    select
        *,
        md5(
            coalesce('=' || replace(user_id, '|', '||'), '~')
            || '|' || coalesce('=' || replace(session_id, '|', '||'), '~')
            || '|' || coalesce(cast({{ epoch_us('event_time') }} as string), '~')
            || '|' || coalesce('=' || replace(feature_used, '|', '||'), '~')
        ) as event_id
    from source_rows

)

select
    event_id,
    event_time,
    user_id,
    cast(null as string) as anonymous_id,
    session_id,
    'feature_used' as event_name,
    cast(null as string) as bot_id,
    cast(null as string) as conversation_id,
    -- "Generate Quiz" and generate_quiz are one feature.
    replace(lower(trim(feature_used)), ' ', '_') as feature,
    cast(null as string) as method,
    cast(null as string) as source,
    cast(null as string) as platform,
    cast(null as string) as country,
    cast(null as string) as app_version,
    -- Seconds. Multiply here if your log counts minutes.
    cast(engagement_time as decimal(18, 3)) as engaged_seconds,
    cast(null as decimal(18, 6)) as revenue_usd,
    -- The log does not say when a row arrived. Name your load time here if you have one: without it late rows
    -- cannot be told from punctual ones.
    event_time as ingested_at
from keyed
