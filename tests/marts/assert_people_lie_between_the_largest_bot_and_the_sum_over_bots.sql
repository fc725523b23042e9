-- A distinct total can be neither smaller than its largest part nor larger than the sum of its parts.
with

bots as (

    select
        activity_date,
        sum(shown_user_count) as shown_sum,
        max(shown_user_count) as shown_max,
        sum(viewer_count) as viewer_sum,
        max(viewer_count) as viewer_max,
        sum(chat_starter_count) as starter_sum,
        max(chat_starter_count) as starter_max,
        sum(chatting_user_count) as chatting_sum,
        max(chatting_user_count) as chatting_max,
        sum(new_message_count) as new_message_count
    from {{ ref('agg_bot_engagement__daily') }}
    group by activity_date

)

select
    coalesce(people.activity_date, bots.activity_date) as activity_date,
    people.shown_user_count,
    people.viewer_count,
    people.chat_starter_count,
    people.chatting_user_count,
    people.chatting_pair_count,
    people.new_message_count,
    bots.shown_sum,
    bots.viewer_sum,
    bots.starter_sum,
    bots.chatting_sum
from {{ ref('agg_user_engagement__daily') }} as people
full outer join bots on people.activity_date = bots.activity_date
where people.activity_date is null
    or bots.activity_date is null
    or people.shown_user_count not between bots.shown_max and bots.shown_sum
    or people.viewer_count not between bots.viewer_max and bots.viewer_sum
    or people.chat_starter_count not between bots.starter_max and bots.starter_sum
    or people.chatting_user_count not between bots.chatting_max and bots.chatting_sum
    -- Pairs and messages are additive, so they are equal and not only bounded.
    or people.chatting_pair_count <> bots.chatting_sum
    or people.new_message_count <> bots.new_message_count
