{{ config(materialized='table') }}
{%- set history = number_var('bot_score_history_days') | int -%}
{%- set window = number_var('trailing_window_days') | int -%}
{%- set stickiness = number_var('stickiness_window_days') | int -%}
-- What the indicators of bots are sums of, by the day on which it enters the trailing window. A cohort enters
-- when its last member could last be counted, so that no member is judged early.
with

met as (

    select
        bot_key,
        event_date,
        impression_count,
        clicked_impression_count,
        view_count,
        is_chat_start,
        new_message_count
    from {{ ref('int_bot_user_days_human') }}
    where event_date > {{ add_days(as_of_date(), -(history + window - 1)) }}

),

cohorts as (

    select
        person_key,
        bot_key,
        first_chat_date,
        count(case when age_days between 1 and {{ stickiness }} then 1 end) as return_days,
        count(case when age_days = 7 then 1 end) as day_7_returns
    from {{ ref('int_bot_chat_days_aged') }}
    where
        age_days <= {{ [stickiness, 7] | max }}
        and first_chat_date > {{ add_days(as_of_date(), -(history + window - 1 + ([stickiness, 7] | max))) }}
    group by person_key, bot_key, first_chat_date

),

counted as (

    select
        bot_key,
        event_date as count_date,
        count(*) as met_user_count,
        cast(sum(impression_count) as bigint) as impression_count,
        cast(sum(clicked_impression_count) as bigint) as clicked_impression_count,
        count(case when impression_count > 0 then 1 end) as shown_user_count,
        cast(sum(clicked_impression_count * clicked_impression_count) as bigint) as squared_click_count,
        cast(sum(clicked_impression_count * impression_count) as bigint) as click_impression_product,
        cast(sum(impression_count * impression_count) as bigint) as squared_impression_count,
        cast(sum(view_count) as bigint) as view_count,
        count(case when view_count > 0 then 1 end) as viewer_count,
        count(case when is_chat_start then 1 end) as chat_starter_count,
        count(case when new_message_count > 0 then 1 end) as chatting_user_count,
        cast(sum(new_message_count) as bigint) as new_message_count,
        cast(sum(new_message_count * new_message_count) as bigint) as squared_message_count,
        0 as stickiness_user_count,
        0 as return_days,
        0 as squared_return_days,
        0 as day_7_user_count,
        0 as day_7_return_count
    from met
    group by bot_key, event_date
    union all
    select
        bot_key,
        {{ add_days('first_chat_date', stickiness) }} as count_date,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        count(*),
        cast(sum(return_days) as bigint),
        cast(sum(return_days * return_days) as bigint),
        0, 0
    from cohorts
    group by bot_key, first_chat_date
    union all
    select
        bot_key,
        {{ add_days('first_chat_date', 7) }} as count_date,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        count(*),
        cast(sum(day_7_returns) as bigint)
    from cohorts
    group by bot_key, first_chat_date

)

select
    bot_key,
    count_date,
    {%- for name in [
        'met_user_count', 'impression_count', 'clicked_impression_count', 'shown_user_count', 'squared_click_count',
        'click_impression_product', 'squared_impression_count', 'view_count', 'viewer_count', 'chat_starter_count',
        'chatting_user_count', 'new_message_count', 'squared_message_count', 'stickiness_user_count', 'return_days',
        'squared_return_days', 'day_7_user_count',
    ] %}
    cast(sum({{ name }}) as bigint) as {{ name }},
    {%- endfor %}
    cast(sum(day_7_return_count) as bigint) as day_7_return_count
from counted
where count_date <= {{ as_of_date() }}
group by bot_key, count_date
