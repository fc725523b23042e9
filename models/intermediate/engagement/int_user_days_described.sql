{{ config(materialized='table') }}

-- What people did with bots and in sessions, beside who and where they were on that day.
with

user_days as (

    select
        person_key,
        event_date,
        first_context_key,
        is_active
    from {{ ref('int_user_days_classified') }}
    where is_human

),

bot_days as (

    select
        person_key,
        event_date,
        cast(sum(impression_count) as bigint) as impression_count,
        cast(sum(clicked_impression_count) as bigint) as clicked_impression_count,
        cast(sum(view_count) as bigint) as view_count,
        cast(sum(new_message_count) as bigint) as new_message_count,
        count(case when view_count > 0 then 1 end) as viewed_bot_count,
        count(case when new_message_count > 0 then 1 end) as chatted_bot_count,
        max(case when is_chat_start then 1 else 0 end) as chat_starts,
        max(case when view_count + message_count > 0 then 1 else 0 end) as bot_uses
    from {{ ref('int_bot_user_days_human') }}
    group by person_key, event_date

)

select
    user_days.person_key,
    user_days.event_date,
    user_days.is_active,
    coalesce(user_days.event_date = cohorts.first_active_date, false) as is_new,
    case when contexts.country <> 'unknown' then contexts.country else persons.country end as country,
    case when contexts.platform <> 'unknown' then contexts.platform else persons.platform end as platform,
    persons.role,
    persons.language,
    persons.acquisition_channel,
    coalesce(bot_days.impression_count, 0) as impression_count,
    coalesce(bot_days.clicked_impression_count, 0) as clicked_impression_count,
    coalesce(bot_days.view_count, 0) as view_count,
    coalesce(bot_days.new_message_count, 0) as new_message_count,
    coalesce(bot_days.viewed_bot_count, 0) as viewed_bot_count,
    coalesce(bot_days.chatted_bot_count, 0) as chatted_bot_count,
    coalesce(bot_days.chat_starts, 0) = 1 as is_chat_starter,
    coalesce(bot_days.bot_uses, 0) = 1 as is_bot_user,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(sessions.session_ms, 0) as session_ms
from user_days
inner join {{ ref('int_persons_described') }} as persons on user_days.person_key = persons.person_key
left join {{ ref('int_persons_cohorted') }} as cohorts on user_days.person_key = cohorts.person_key
left join {{ ref('int_event_contexts_distinct') }} as contexts
    on user_days.first_context_key = contexts.context_key
left join bot_days
    on user_days.person_key = bot_days.person_key and user_days.event_date = bot_days.event_date
left join {{ ref('int_sessions_aggregated_to_user_days') }} as sessions
    on user_days.person_key = sessions.person_key and user_days.event_date = sessions.session_date
