{{ config(materialized='table') }}

with

slices as (

    select * from {{ ref('int_bot_days_sliced') }}

),

-- Cards that were merely shown are most of the rows and no use of a bot.
used as (

    select
        person_key,
        bot_key,
        event_date,
        case when view_count > 0 then 1 else 0 end
        + case when is_chat_start then 2 else 0 end
        + case when new_message_count > 0 then 4 else 0 end as deeds
    from {{ ref('int_bot_user_days_human') }}
    where view_count > 0 or message_count > 0

),

-- Who met two bots of a slice is one person of it.
people as (

    select
        slices.event_date,
        slices.slice_number,
        used.person_key,
        bit_or(used.deeds) as deeds
    from used
    inner join slices on used.bot_key = slices.bot_key and used.event_date = slices.event_date
    group by slices.event_date, slices.slice_number, used.person_key

),

people_counted as (

    select
        event_date,
        slice_number,
        count(*) as bot_user_count,
        count(case when deeds % 2 = 1 then 1 end) as viewer_count,
        count(case when deeds % 4 >= 2 then 1 end) as chat_starter_count,
        count(case when deeds >= 4 then 1 end) as chatting_user_count
    from people
    group by event_date, slice_number

),

-- What adds up comes from the bots: two of them never share an impression or a message.
bots_added as (

    select
        slices.event_date,
        slices.slice_number,
        slices.slice_dimension,
        slices.slice_value,
        cast(sum(bot_days.impression_count) as bigint) as impression_count,
        cast(sum(bot_days.clicked_impression_count) as bigint) as clicked_impression_count,
        cast(sum(bot_days.view_count) as bigint) as view_count,
        cast(sum(bot_days.new_message_count) as bigint) as new_message_count,
        cast(sum(bot_days.chatting_user_count) as bigint) as chatting_pair_count
    from slices
    inner join {{ ref('int_bot_user_days_aggregated_to_bot_days') }} as bot_days
        on slices.bot_key = bot_days.bot_key and slices.event_date = bot_days.event_date
    group by slices.event_date, slices.slice_number, slices.slice_dimension, slices.slice_value

)

select
    bots_added.event_date,
    bots_added.slice_dimension,
    bots_added.slice_value,
    coalesce(people_counted.bot_user_count, 0) as bot_user_count,
    bots_added.impression_count,
    bots_added.clicked_impression_count,
    bots_added.view_count,
    coalesce(people_counted.viewer_count, 0) as viewer_count,
    coalesce(people_counted.chat_starter_count, 0) as chat_starter_count,
    bots_added.new_message_count,
    coalesce(people_counted.chatting_user_count, 0) as chatting_user_count,
    bots_added.chatting_pair_count
from bots_added
left join people_counted
    on bots_added.event_date = people_counted.event_date and bots_added.slice_number = people_counted.slice_number
