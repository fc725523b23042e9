{{ config(materialized='table') }}

-- The bot a person wrote to first says what brought the person to the product. Of several on that day the one
-- written to most; its workflow is that of the day.
with

first_chats as (

    select
        chats.person_key,
        chats.chat_date,
        bots.bot_key,
        bots.bot_id,
        bots.workflow,
        row_number() over (
            partition by chats.person_key
            order by chats.chat_date asc nulls last, chats.new_message_count desc nulls last, bots.bot_id asc nulls last
        ) as chat_rank
    from {{ ref('int_bot_chat_days_aged') }} as chats
    inner join {{ ref('int_bots_versioned') }} as bots
        on chats.bot_key = bots.bot_key
        and chats.chat_date between bots.valid_from_date and bots.valid_to_date
    where chats.age_days = 0

)

select
    persons.person_key,
    persons.first_active_date,
    first_chats.bot_key as first_bot_key,
    coalesce(first_chats.bot_id, 'none') as first_bot_id,
    coalesce(first_chats.workflow, 'none') as acquisition_workflow,
    first_chats.chat_date as first_chat_date
from {{ ref('int_persons_cohorted') }} as persons
left join first_chats on persons.person_key = first_chats.person_key and first_chats.chat_rank = 1
