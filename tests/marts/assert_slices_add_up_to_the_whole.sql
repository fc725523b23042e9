-- Each dimension splits the whole: what adds up is equal to it, people lie between the largest slice and the sum
-- of slices. A bot has several tags, so tags only bound the whole from above.
with

slices as (

    select
        activity_date,
        slice_dimension,
        sum(impression_count) as impression_count,
        sum(clicked_impression_count) as clicked_impression_count,
        sum(view_count) as view_count,
        sum(new_message_count) as new_message_count,
        sum(chatting_pair_count) as chatting_pair_count,
        sum(viewer_count) as viewer_sum,
        max(viewer_count) as viewer_max,
        sum(chat_starter_count) as starter_sum,
        max(chat_starter_count) as starter_max,
        sum(chatting_user_count) as chatting_sum,
        max(chatting_user_count) as chatting_max,
        sum(active_user_count) as active_user_count,
        sum(session_count) as session_count,
        sum(session_seconds) as session_seconds
    from {{ ref('agg_engagement__daily_slices') }}
    group by activity_date, slice_dimension

),

bots as (

    select
        activity_date,
        sum(impression_count) as impression_count,
        sum(clicked_impression_count) as clicked_impression_count,
        sum(view_count) as view_count
    from {{ ref('agg_bot_engagement__daily') }}
    group by activity_date

),

compared as (

    select
        slices.*,
        slices.slice_dimension = 'tag' as is_bridge,
        slices.active_user_count is not null as is_of_people,
        coalesce(bots.impression_count, 0) as whole_impression_count,
        coalesce(bots.clicked_impression_count, 0) as whole_clicked_impression_count,
        coalesce(bots.view_count, 0) as whole_view_count,
        people.new_message_count as whole_new_message_count,
        people.chatting_pair_count as whole_chatting_pair_count,
        people.viewer_count,
        people.chat_starter_count,
        people.chatting_user_count,
        people.active_user_count as whole_active_user_count,
        people.session_count as whole_session_count,
        people.session_seconds as whole_session_seconds
    from slices
    left join bots on slices.activity_date = bots.activity_date
    left join {{ ref('agg_user_engagement__daily') }} as people on slices.activity_date = people.activity_date

)

select *
from compared
where whole_new_message_count is null
    or viewer_count not between viewer_max and viewer_sum
    or chat_starter_count not between starter_max and starter_sum
    or chatting_user_count not between chatting_max and chatting_sum
    or (
        is_of_people and (
            viewer_count <> viewer_sum
            or chat_starter_count <> starter_sum
            or chatting_user_count <> chatting_sum
            or active_user_count <> whole_active_user_count
            or session_count <> whole_session_count
            or session_seconds <> whole_session_seconds
        )
    )
    or (is_bridge and (impression_count < whole_impression_count or new_message_count < whole_new_message_count))
    or (
        not is_bridge and (
            impression_count <> whole_impression_count
            or clicked_impression_count <> whole_clicked_impression_count
            or view_count <> whole_view_count
            or new_message_count <> whole_new_message_count
            or chatting_pair_count <> whole_chatting_pair_count
        )
    )
