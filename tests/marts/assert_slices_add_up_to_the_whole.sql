-- Each dimension splits the whole: what adds up is equal to it, people lie between the largest slice and the sum
-- of slices. A bot has several tags, so tags only bound the whole from above. No dimension lacks a day.
{%- set additive = [
    'impression_count', 'clicked_impression_count', 'view_count', 'new_message_count', 'chatting_pair_count',
] -%}
{%- set people = ['viewer_count', 'chat_starter_count', 'chatting_user_count'] -%}
{%- set of_people = ['active_user_count', 'session_count', 'session_seconds'] %}
with

dimensions as (

    {% for name in person_segments() -%}
    select '{{ name }}' as slice_dimension, true as is_of_people, false as is_bridge, true as has_chats
    union all
    {% endfor -%}
    {% for name in ['workflow', 'bot_type', 'model_version'] -%}
    select '{{ name }}' as slice_dimension, false as is_of_people, false as is_bridge, true as has_chats
    union all
    {% endfor -%}
    select 'tag' as slice_dimension, false as is_of_people, true as is_bridge, true as has_chats
    union all
    select 'source' as slice_dimension, false as is_of_people, false as is_bridge, false as has_chats

),

slices as (

    select
        activity_date,
        slice_dimension,
        {%- for name in people %}
        max({{ name }}) as largest_{{ name }},
        {%- endfor %}
        {%- for name in additive + people + of_people %}
        sum({{ name }}) as sum_of_{{ name }},
        {%- endfor %}
        count(*) as slice_count
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

)

select
    whole.activity_date,
    dimensions.slice_dimension,
    {%- for name in additive + people + of_people %}
    slices.sum_of_{{ name }},
    {%- endfor %}
    slices.slice_count
from {{ ref('agg_user_engagement__daily') }} as whole
cross join dimensions
left join bots on whole.activity_date = bots.activity_date
left join slices
    on whole.activity_date = slices.activity_date and dimensions.slice_dimension = slices.slice_dimension
where false
    {%- for name in people %}
    {%- set said = 'true' if name == 'viewer_count' else 'dimensions.has_chats' %}
    or ({{ said }} and whole.{{ name }} < coalesce(slices.largest_{{ name }}, 0))
    or ({{ said }} and whole.{{ name }} > coalesce(slices.sum_of_{{ name }}, 0))
    or (dimensions.is_of_people and whole.{{ name }} <> coalesce(slices.sum_of_{{ name }}, 0))
    {%- endfor %}
    {%- for name in of_people %}
    or (dimensions.is_of_people and whole.{{ name }} <> coalesce(slices.sum_of_{{ name }}, 0))
    {%- endfor %}
    {%- for name in additive %}
    {%- set said = 'true' if loop.index <= 3 else 'dimensions.has_chats' %}
    {%- set total = ('coalesce(bots.' if loop.index <= 3 else 'coalesce(whole.') ~ name ~ ', 0)' %}
    or ({{ said }} and coalesce(slices.sum_of_{{ name }}, 0) < {{ total }})
    or ({{ said }} and not dimensions.is_bridge and coalesce(slices.sum_of_{{ name }}, 0) > {{ total }})
    {%- endfor %}
