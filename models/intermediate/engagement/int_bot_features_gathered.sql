{{ config(materialized='table') }}

-- What tells bots apart: size and the indicators after shrinkage, so that luck makes no group of its own. Day 7
-- is left out: most bots have too few new people for more than noise.
with

sums as (

    select * from {{ ref('int_bot_indicators_rolled') }}
    where score_date = {{ as_of_date() }}

),

estimates as (

    select
        bot_id,
        {%- for name in ['click_through', 'chat_start', 'depth_per_user_day', 'depth_per_user'] %}
        max(case when indicator = '{{ name }}' then shrunk_value end) as {{ name }},
        {%- endfor %}
        max(case when indicator = 'stickiness' then shrunk_value end) as stickiness
    from {{ ref('py_bot_indicators') }}
    where score_date = {{ as_of_date() }}
    group by bot_id

)

select
    sums.bot_id,
    sums.impression_count,
    sums.view_count,
    sums.chatting_person_count,
    estimates.click_through,
    estimates.chat_start,
    estimates.depth_per_user_day,
    estimates.depth_per_user,
    estimates.stickiness
from sums
inner join estimates on sums.bot_id = estimates.bot_id
