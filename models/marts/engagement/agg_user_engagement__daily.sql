with

days as (

    select * from {{ ref('int_bot_user_days_aggregated_to_users') }}

)

select
    event_date as activity_date,

    shown_user_count,
    clicking_user_count,
    {{ safe_divide('clicking_user_count', 'shown_user_count') }} as user_click_through_rate,
    viewer_count,
    chat_starter_count,
    {{ safe_divide('chat_starter_count', 'viewer_count') }} as chat_start_rate,
    chatting_user_count,
    chatting_pair_count,
    new_message_count,
    {{ safe_divide('new_message_count', 'chatting_user_count') }} as chat_depth_per_user,
    {{ safe_divide('new_message_count', 'chatting_pair_count') }} as chat_depth_per_user_bot,

    {{ is_final('event_date') }} as is_final
from days
