{{ config(materialized='table') }}

-- New to a bot is who never wrote to it before, however long they use the product.
with

chat_days as (

    select
        person_key,
        bot_key,
        event_date as chat_date,
        new_message_count,
        min(event_date) over (partition by person_key, bot_key) as first_chat_date
    from {{ ref('int_bot_user_days_human') }}
    where new_message_count > 0

)

select
    person_key,
    bot_key,
    first_chat_date,
    chat_date,
    cast({{ day_diff('first_chat_date', 'chat_date') }} as bigint) as age_days,
    new_message_count
from chat_days
