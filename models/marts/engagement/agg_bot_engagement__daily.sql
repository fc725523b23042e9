with

bot_days as (

    select * from {{ ref('int_bot_user_days_aggregated_to_bot_days') }}

),

bots as (

    select * from {{ ref('int_bots_versioned') }}

)

select
    bots.bot_id,
    bot_days.event_date as activity_date,

    bots.workflow,
    bots.creator_id,
    bots.model_version,
    bots.is_ai_generated,

    bot_days.impression_count,
    bot_days.clicked_impression_count,
    {{ safe_divide('bot_days.clicked_impression_count', 'bot_days.impression_count') }} as click_through_rate,
    bot_days.shown_user_count,
    bot_days.clicking_user_count,
    {{ safe_divide('bot_days.clicking_user_count', 'bot_days.shown_user_count') }} as user_click_through_rate,
    bot_days.view_count,
    bot_days.attributed_view_count,
    bot_days.view_count - bot_days.attributed_view_count as unattributed_view_count,
    bot_days.viewer_count,
    bot_days.chat_starter_count,
    {{ safe_divide('bot_days.chat_starter_count', 'bot_days.viewer_count') }} as chat_start_rate,
    bot_days.message_count,
    bot_days.new_message_count,
    bot_days.chatting_user_count,
    {{ safe_divide('bot_days.new_message_count', 'bot_days.chatting_user_count') }} as chat_depth_per_user_bot,
    bot_days.chat_depth_p50,
    bot_days.chat_depth_p90,
    bot_days.follow_count,

    {{ is_final('bot_days.event_date') }} as is_final
from bot_days
inner join bots
    on bot_days.bot_key = bots.bot_key
    and bot_days.event_date between bots.valid_from_date and bots.valid_to_date
