{{ config(materialized='table') }}

-- A chat counts for the workflow and the tags its bot had on that day. Several bots of one workflow or tag on
-- one day are one day.
select distinct
    'workflow' as subject_kind,
    bots.workflow as subject_id,
    chats.person_key,
    chats.chat_date
from {{ ref('int_bot_chat_days_aged') }} as chats
inner join {{ ref('int_bots_versioned') }} as bots
    on chats.bot_key = bots.bot_key
    and chats.chat_date >= bots.valid_from_date
    and chats.chat_date <= bots.valid_to_date
union all
select distinct
    'tag' as subject_kind,
    tags.tag as subject_id,
    chats.person_key,
    chats.chat_date
from {{ ref('int_bot_chat_days_aged') }} as chats
inner join {{ ref('int_bot_tags_merged') }} as tags
    on chats.bot_key = tags.bot_key
    and chats.chat_date >= tags.valid_from_date
    and chats.chat_date <= tags.valid_to_date
