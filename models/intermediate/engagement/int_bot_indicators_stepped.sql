{{ config(materialized='table') }}
{%- set history = number_var('bot_score_history_days') | int -%}
{%- set window = number_var('trailing_window_days') | int -%}
-- People of a window cannot be added up over its days. A message enters the window of its sender on its day and
-- leaves it after the last day of the window; what that does to the number of senders, and to the sum of squares
-- of what each of them sent, is a step. Running sums of the steps are exact distinct counts.
with

chat_days as (

    select
        person_key,
        bot_key,
        chat_date,
        new_message_count
    from {{ ref('int_bot_chat_days_aged') }}
    where chat_date > {{ add_days(as_of_date(), -(history + window - 1)) }}

),

moves as (

    select
        person_key,
        bot_key,
        step_date,
        sum(message_step) as message_step
    from (
        select person_key, bot_key, chat_date as step_date, new_message_count as message_step
        from chat_days
        union all
        select person_key, bot_key, {{ add_days('chat_date', window) }}, -new_message_count
        from chat_days
    ) as both_ends
    group by person_key, bot_key, step_date

),

held as (

    select
        bot_key,
        step_date,
        message_step,
        sum(message_step) over (
            partition by person_key, bot_key order by step_date asc nulls last
            rows between unbounded preceding and current row
        ) as message_count
    from moves

)

select
    bot_key,
    step_date,
    cast(sum(
        case when message_count > 0 then 1 else 0 end - case when message_count > message_step then 1 else 0 end
    ) as bigint) as chatting_person_step,
    cast(sum(
        message_count * message_count - (message_count - message_step) * (message_count - message_step)
    ) as bigint) as squared_message_step
from held
where step_date <= {{ as_of_date() }}
group by bot_key, step_date
