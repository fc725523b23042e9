-- A distinct total can be neither smaller than its largest part nor larger than the sum of its parts. A day on
-- which nobody met a bot is a row of people and none of bots: its sums are nothing.
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
    or people.shown_user_count not between coalesce(bots.shown_max, 0) and coalesce(bots.shown_sum, 0)
    or people.viewer_count not between coalesce(bots.viewer_max, 0) and coalesce(bots.viewer_sum, 0)
    or people.chat_starter_count not between coalesce(bots.starter_max, 0) and coalesce(bots.starter_sum, 0)
    or people.chatting_user_count not between coalesce(bots.chatting_max, 0) and coalesce(bots.chatting_sum, 0)
    -- Pairs and messages are additive, so they are equal and not only bounded.
    or people.chatting_pair_count <> coalesce(bots.chatting_sum, 0)
    or people.new_message_count <> coalesce(bots.new_message_count, 0)
