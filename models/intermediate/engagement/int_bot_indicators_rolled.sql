{{ config(materialized='table') }}
{%- set history = number_var('bot_score_history_days') | int -%}
{%- set window = number_var('trailing_window_days') | int -%}
-- Trailing sums of every bot at every score date; a bot has a row while somebody met it within the window.
-- The first days of a product have no whole window, hence no score.
{%- set rolled = [
    'met_user_count', 'impression_count', 'clicked_impression_count', 'shown_user_count', 'squared_click_count',
    'click_impression_product', 'squared_impression_count', 'view_count', 'viewer_count', 'chat_starter_count',
    'chatting_user_count', 'new_message_count', 'squared_message_count', 'stickiness_user_count', 'return_days',
    'squared_return_days', 'day_7_user_count', 'day_7_return_count',
] %}
with

counted as (

    select * from {{ ref('int_bot_indicators_counted_to_days') }}

),

stepped as (

    select * from {{ ref('int_bot_indicators_stepped') }}

),

bots as (

    select bot_key, bot_id
    from {{ ref('int_bots_versioned') }}
    where is_current

),

dates as (

    select
        calendar_date,
        {{ add_days('min(calendar_date) over ()', window - 1) }} as first_whole_date
    from {{ ref('int_dates_spined') }}

),

-- Every bot has every day, so that so many rows are so many days.
spined as (

    select
        met.bot_key,
        dates.calendar_date,
        dates.first_whole_date
    from (select distinct bot_key from counted) as met
    cross join dates
    where dates.calendar_date > {{ add_days(as_of_date(), -(history + window - 1)) }}

),

rolled as (

    select
        spined.bot_key,
        spined.calendar_date as score_date,
        spined.first_whole_date,
        {%- for name in rolled %}
        coalesce(sum(counted.{{ name }}) over in_window, 0) as {{ name }},
        {%- endfor %}
        coalesce(sum(stepped.chatting_person_step) over until_now, 0) as chatting_person_count,
        coalesce(sum(stepped.squared_message_step) over until_now, 0) as squared_person_message_count
    from spined
    left join counted on spined.bot_key = counted.bot_key and spined.calendar_date = counted.count_date
    left join stepped on spined.bot_key = stepped.bot_key and spined.calendar_date = stepped.step_date
    window
        in_window as (
            partition by spined.bot_key order by spined.calendar_date asc nulls last
            rows between {{ window - 1 }} preceding and current row
        ),
        until_now as (
            partition by spined.bot_key order by spined.calendar_date asc nulls last
            rows between unbounded preceding and current row
        )

)

select
    bots.bot_id,
    rolled.score_date,
    {%- for name in rolled %}
    cast(rolled.{{ name }} as bigint) as {{ name }},
    {%- endfor %}
    cast(rolled.chatting_person_count as bigint) as chatting_person_count,
    cast(rolled.squared_person_message_count as bigint) as squared_person_message_count
from rolled
inner join bots on rolled.bot_key = bots.bot_key
where rolled.met_user_count > 0
    and rolled.score_date >= rolled.first_whole_date
    and rolled.score_date > {{ add_days(as_of_date(), -history) }}
