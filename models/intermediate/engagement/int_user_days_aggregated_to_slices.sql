{{ config(materialized='table') }}

-- A person is one row of a day, so people are counted and not added up. The slice 'all' is everybody.
{% for dimension in ['all'] + person_segments() -%}
{%- set value = "'all'" if dimension == 'all' else dimension -%}
select
    event_date,
    '{{ dimension }}' as slice_dimension,
    {{ value }} as slice_value,
    count(case when is_active then 1 end) as active_user_count,
    count(case when is_new then 1 end) as new_user_count,
    count(case when is_bot_user then 1 end) as bot_user_count,
    cast(sum(impression_count) as bigint) as impression_count,
    cast(sum(clicked_impression_count) as bigint) as clicked_impression_count,
    cast(sum(view_count) as bigint) as view_count,
    count(case when view_count > 0 then 1 end) as viewer_count,
    count(case when is_chat_starter then 1 end) as chat_starter_count,
    cast(sum(new_message_count) as bigint) as new_message_count,
    count(case when new_message_count > 0 then 1 end) as chatting_user_count,
    cast(sum(chatted_bot_count) as bigint) as chatting_pair_count,
    cast(coalesce(sum(case when is_active then viewed_bot_count end), 0) as bigint) as active_viewed_pair_count,
    cast(coalesce(sum(case when is_active then chatted_bot_count end), 0) as bigint) as active_chatting_pair_count,
    cast(coalesce(sum(case when is_new then viewed_bot_count end), 0) as bigint) as new_viewed_pair_count,
    cast(coalesce(sum(case when is_new then chatted_bot_count end), 0) as bigint) as new_chatting_pair_count,
    cast(coalesce(sum(case when is_active then session_count end), 0) as bigint) as session_count,
    cast(coalesce(sum(case when is_active then session_ms end), 0) as bigint) as session_ms
from {{ ref('int_user_days_described') }}
group by event_date{{ '' if dimension == 'all' else ', ' ~ dimension }}
{{ 'union all' if not loop.last }}
{% endfor %}
