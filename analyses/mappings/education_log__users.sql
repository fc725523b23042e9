-- Flat education log -> users. One row per user: what the log knew last.
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

-- A user logged as both at one moment is a teacher: the rarer flag is set on purpose.
ranked as (

    select
        user_id,
        is_teacher,
        event_time,
        min(event_time) over (partition by user_id) as first_event_time,
        row_number() over (
            partition by user_id
            order by event_time desc nulls last, is_teacher desc nulls last, session_id asc nulls last
        ) as version_rank
    from source_rows
    where user_id is not null

)

select
    user_id,
    event_time as updated_at,
    -- The first trace of a user is the latest possible day of sign-up, no more.
    first_event_time as signed_up_at,
    case
        when is_teacher then 'teacher'
        when not is_teacher then 'student'
    end as role,
    cast(null as string) as country,
    cast(null as string) as platform,
    cast(null as string) as language,
    cast(null as string) as acquisition_channel,
    -- Known test accounts go into the seed excluded_accounts.
    false as is_internal,
    event_time as ingested_at
from ranked
where version_rank = 1
