-- Flat education log -> llm_ratings. One row per rated row of the log.
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

-- The same id as in education_log__events: the rated answer is the one that use of the feature gave.
rated as (

    select
        *,
        md5(
            coalesce('=' || replace(user_id, '|', '||'), '~')
            || '|' || coalesce('=' || replace(session_id, '|', '||'), '~')
            || '|' || coalesce(cast({{ epoch_us('event_time') }} as string), '~')
            || '|' || coalesce('=' || replace(feature_used, '|', '||'), '~')
        ) as event_id
    from source_rows
    where llm_rating is not null

)

select
    'rating-' || event_id as rating_id,
    -- The log has no answers. The id keeps the ratings of one use together; cost and text stay unknown.
    'response-' || event_id as response_id,
    user_id as rater_id,
    'user' as rater_kind,
    event_time as rated_at,
    -- Half a star is no score of the scale: null is quarantined with the row, rounding would hide it.
    cast(case when llm_rating = floor(llm_rating) then llm_rating end as bigint) as score,
    cast(null as boolean) as is_hallucination,
    event_time as ingested_at
from rated
