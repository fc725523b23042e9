-- Workflow by workflow and model by model: people of the slice lie between its largest bot and the sum over its
-- bots, and what adds up is that sum. A bot that moved stands where it stood on the day.
with

{% for dimension in ['workflow', 'model_version'] -%}
by_{{ dimension }} as (

    select
        activity_date,
        '{{ dimension }}' as slice_dimension,
        {{ dimension }} as slice_value,
        sum(new_message_count) as new_message_count,
        sum(impression_count) as impression_count,
        sum(viewer_count) as viewer_sum,
        max(viewer_count) as viewer_max,
        sum(chatting_user_count) as chatting_sum,
        max(chatting_user_count) as chatting_max
    from {{ ref('agg_bot_engagement__daily') }}
    group by activity_date, {{ dimension }}

),

{% endfor -%}
bots as (

    select * from by_workflow
    union all
    select * from by_model_version

),

slices as (

    select
        activity_date,
        slice_dimension,
        slice_value,
        new_message_count,
        impression_count,
        viewer_count,
        chatting_user_count
    from {{ ref('agg_engagement__daily_slices') }}
    where slice_dimension in ('workflow', 'model_version')

)

select
    coalesce(slices.activity_date, bots.activity_date) as activity_date,
    coalesce(slices.slice_dimension, bots.slice_dimension) as slice_dimension,
    coalesce(slices.slice_value, bots.slice_value) as slice_value,
    slices.viewer_count,
    bots.viewer_max,
    bots.viewer_sum,
    slices.chatting_user_count,
    bots.chatting_max,
    bots.chatting_sum,
    slices.new_message_count,
    bots.new_message_count as bot_new_message_count
from slices
full outer join bots
    on slices.activity_date = bots.activity_date
    and slices.slice_dimension = bots.slice_dimension
    and slices.slice_value = bots.slice_value
where slices.activity_date is null
    or bots.activity_date is null
    or slices.viewer_count not between bots.viewer_max and bots.viewer_sum
    or slices.chatting_user_count not between bots.chatting_max and bots.chatting_sum
    or slices.new_message_count <> bots.new_message_count
    or slices.impression_count <> bots.impression_count
