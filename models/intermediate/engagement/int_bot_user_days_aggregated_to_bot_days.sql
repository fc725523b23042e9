{{ config(materialized='table') }}

select
    bot_key,
    event_date,
    cast(sum(impression_count) as bigint) as impression_count,
    cast(sum(clicked_impression_count) as bigint) as clicked_impression_count,
    count(case when impression_count > 0 then 1 end) as shown_user_count,
    count(case when impression_count > 0 and attributed_view_count > 0 then 1 end) as clicking_user_count,
    cast(sum(view_count) as bigint) as view_count,
    cast(sum(attributed_view_count) as bigint) as attributed_view_count,
    count(case when view_count > 0 then 1 end) as viewer_count,
    count(case when is_chat_start then 1 end) as chat_starter_count,
    count(case when new_message_count > 0 then 1 end) as chatting_user_count,
    cast(sum(message_count) as bigint) as message_count,
    cast(sum(new_message_count) as bigint) as new_message_count,
    cast(sum(follow_count) as bigint) as follow_count,
    percentile_cont(0.5) within group (
        order by cast(case when new_message_count > 0 then new_message_count end as double)
    ) as chat_depth_p50,
    percentile_cont(0.9) within group (
        order by cast(case when new_message_count > 0 then new_message_count end as double)
    ) as chat_depth_p90
from {{ ref('int_bot_user_days_human') }}
group by bot_key, event_date
