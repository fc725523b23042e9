-- Facts keep every user-day; metrics of people leave out machines and accounts that are no customers.
with

bot_user_days as (

    select * from {{ ref('int_events_aggregated_to_bot_user_days') }}

),

others as (

    select * from {{ ref('int_user_days_excluded') }}

)

select
    bot_user_days.person_key,
    bot_user_days.bot_key,
    bot_user_days.event_date,
    bot_user_days.impression_count,
    bot_user_days.clicked_impression_count,
    bot_user_days.view_count,
    bot_user_days.attributed_view_count,
    bot_user_days.message_count,
    bot_user_days.new_message_count,
    bot_user_days.follow_count,
    bot_user_days.reset_count,
    bot_user_days.is_chat_start
from bot_user_days
left join others
    on bot_user_days.person_key = others.person_key and bot_user_days.event_date = others.event_date
where others.person_key is null and bot_user_days.event_date <= {{ as_of_date() }}
