-- Distinct people over all bots: the sum over bots would count a person once per bot.
with

user_days as (

    select
        person_key,
        event_date,
        sum(impression_count) as impression_count,
        sum(attributed_view_count) as attributed_view_count,
        sum(view_count) as view_count,
        sum(new_message_count) as new_message_count,
        count(case when view_count > 0 then 1 end) as viewed_bot_count,
        count(case when new_message_count > 0 then 1 end) as chatted_bot_count,
        max(case when is_chat_start then 1 else 0 end) as started_chat
    from {{ ref('int_bot_user_days_human') }}
    group by person_key, event_date

)

select
    event_date,
    count(case when impression_count > 0 then 1 end) as shown_user_count,
    count(case when impression_count > 0 and attributed_view_count > 0 then 1 end) as clicking_user_count,
    count(case when view_count > 0 then 1 end) as viewer_count,
    count(case when started_chat = 1 then 1 end) as chat_starter_count,
    count(case when new_message_count > 0 then 1 end) as chatting_user_count,
    cast(sum(new_message_count) as bigint) as new_message_count,
    cast(sum(viewed_bot_count) as bigint) as viewed_pair_count,
    cast(sum(chatted_bot_count) as bigint) as chatting_pair_count
from user_days
group by event_date
