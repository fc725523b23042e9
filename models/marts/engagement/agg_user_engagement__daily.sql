with

calendar as (

    select calendar_date from {{ ref('int_dates_spined') }}

),

days as (

    select * from {{ ref('int_bot_user_days_aggregated_to_users') }}

),

people as (

    select * from {{ ref('int_user_days_aggregated_to_slices') }}
    where slice_dimension = 'all'

),

conversations as (

    select * from {{ ref('int_conversations_aggregated_to_days') }}

),

messages as (

    select
        event_date,
        message_sent_count
    from {{ ref('int_user_days_aggregated_to_days') }}

),

joined as (

    select
        calendar.calendar_date as activity_date,
        coalesce(days.shown_user_count, 0) as shown_user_count,
        coalesce(days.clicking_user_count, 0) as clicking_user_count,
        coalesce(days.viewer_count, 0) as viewer_count,
        coalesce(days.chat_starter_count, 0) as chat_starter_count,
        coalesce(days.chatting_user_count, 0) as chatting_user_count,
        coalesce(days.chatting_pair_count, 0) as chatting_pair_count,
        coalesce(days.new_message_count, 0) as new_message_count,
        coalesce(people.active_user_count, 0) as active_user_count,
        coalesce(people.new_user_count, 0) as new_user_count,
        -- Messages of which none says its conversation tell nothing about how many began.
        case
            when conversations.event_date is not null or coalesce(messages.message_sent_count, 0) = 0
                then coalesce(conversations.new_conversation_count, 0)
        end as new_conversation_count,
        coalesce(people.session_count, 0) as session_count,
        coalesce(people.session_ms, 0) as session_ms,
        coalesce(people.active_viewed_pair_count, 0) as active_viewed_pair_count,
        coalesce(people.active_chatting_pair_count, 0) as active_chatting_pair_count,
        coalesce(people.new_viewed_pair_count, 0) as new_viewed_pair_count,
        coalesce(people.new_chatting_pair_count, 0) as new_chatting_pair_count
    from calendar
    left join days on calendar.calendar_date = days.event_date
    left join people on calendar.calendar_date = people.event_date
    left join conversations on calendar.calendar_date = conversations.event_date
    left join messages on calendar.calendar_date = messages.event_date

)

select
    activity_date,

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
    active_user_count,
    new_user_count,
    new_conversation_count,
    {{ safe_divide('new_conversation_count', 'active_user_count') }} as new_conversations_per_active_user,
    session_count,
    {{ safe_divide('session_count', 'active_user_count') }} as sessions_per_active_user,
    cast(session_ms / 1000 as decimal(18, 3)) as session_seconds,
    {{ safe_divide('session_ms / 1000', 'active_user_count') }} as session_seconds_per_active_user,
    active_viewed_pair_count,
    {{ safe_divide('active_viewed_pair_count', 'active_user_count') }} as viewed_bots_per_active_user,
    active_chatting_pair_count,
    {{ safe_divide('active_chatting_pair_count', 'active_user_count') }} as chatted_bots_per_active_user,
    new_viewed_pair_count,
    {{ safe_divide('new_viewed_pair_count', 'new_user_count') }} as viewed_bots_per_new_user,
    new_chatting_pair_count,
    {{ safe_divide('new_chatting_pair_count', 'new_user_count') }} as chatted_bots_per_new_user,

    {{ is_final('activity_date') }} as is_final
from joined
