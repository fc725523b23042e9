with

people as (

    select * from {{ ref('int_user_days_aggregated_to_slices') }}
    where slice_dimension <> 'all'

),

bots as (

    select * from {{ ref('int_bot_days_aggregated_to_slices') }}

),

-- Where a card was shown and a page opened is said by these events and by no other.
sources as (

    select * from {{ ref('int_source_days_aggregated_to_slices') }}

),

slices as (

    select
        event_date,
        slice_dimension,
        slice_value,
        active_user_count,
        session_count,
        session_ms,
        bot_user_count,
        impression_count,
        clicked_impression_count,
        view_count,
        viewer_count,
        chat_starter_count,
        new_message_count,
        chatting_user_count,
        chatting_pair_count
    from people
    union all
    select
        event_date,
        slice_dimension,
        slice_value,
        -- Being active and a session belong to a person and to no bot.
        cast(null as bigint) as active_user_count,
        cast(null as bigint) as session_count,
        cast(null as bigint) as session_ms,
        bot_user_count,
        impression_count,
        clicked_impression_count,
        view_count,
        viewer_count,
        chat_starter_count,
        new_message_count,
        chatting_user_count,
        chatting_pair_count
    from bots
    union all
    select
        event_date,
        'source' as slice_dimension,
        source as slice_value,
        cast(null as bigint) as active_user_count,
        cast(null as bigint) as session_count,
        cast(null as bigint) as session_ms,
        cast(null as bigint) as bot_user_count,
        impression_count,
        clicked_impression_count,
        view_count,
        viewer_count,
        cast(null as bigint) as chat_starter_count,
        cast(null as bigint) as new_message_count,
        cast(null as bigint) as chatting_user_count,
        cast(null as bigint) as chatting_pair_count
    from sources

)

select
    slice_dimension,
    slice_value,
    event_date as activity_date,

    active_user_count,
    bot_user_count,
    impression_count,
    clicked_impression_count,
    {{ safe_divide('clicked_impression_count', 'impression_count') }} as click_through_rate,
    view_count,
    viewer_count,
    chat_starter_count,
    {{ safe_divide('chat_starter_count', 'viewer_count') }} as chat_start_rate,
    new_message_count,
    chatting_user_count,
    chatting_pair_count,
    {{ safe_divide('new_message_count', 'chatting_user_count') }} as chat_depth_per_user,
    {{ safe_divide('new_message_count', 'chatting_pair_count') }} as chat_depth_per_user_bot,
    session_count,
    cast(session_ms / 1000 as decimal(18, 3)) as session_seconds,
    {{ safe_divide('session_ms / 1000', 'active_user_count') }} as session_seconds_per_active_user,

    {{ is_final('event_date') }} as is_final
from slices
