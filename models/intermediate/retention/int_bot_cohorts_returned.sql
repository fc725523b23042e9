{{ config(materialized='table') }}

-- The cohort of a bot is everybody whose first chat ever with it fell on the day, old hands of the product
-- included; who wrote to it before is not new to it. Returned is a chat with the same bot.
with

windows as (

    select * from {{ ref('int_retention_windows_listed') }}
    where is_for_bots

),

chats as (

    select * from {{ ref('int_bot_chat_days_aged') }}

),

cohorts as (

    select
        bot_key,
        first_chat_date,
        count(*) as cohort_size
    from chats
    where age_days = 0
    group by bot_key, first_chat_date

),

-- Most pairs never meet again: unless somebody names a window with day 0, these rows fall away in the join.
returned as (

    select
        chats.person_key,
        chats.bot_key,
        chats.first_chat_date,
        bit_or(ages.window_mask) as window_mask
    from chats
    inner join {{ ref('int_retention_ages_masked') }} as ages on chats.age_days = ages.age_days
    group by chats.person_key, chats.bot_key, chats.first_chat_date

),

by_mask as (

    select
        bot_key,
        first_chat_date,
        window_mask,
        count(*) as person_count
    from returned
    group by bot_key, first_chat_date, window_mask

),

counted as (

    select
        by_mask.bot_key,
        by_mask.first_chat_date,
        windows.window_name,
        cast(sum(by_mask.person_count) as bigint) as returned_count
    from by_mask
    inner join windows on (by_mask.window_mask & windows.window_bit) <> 0
    group by by_mask.bot_key, by_mask.first_chat_date, windows.window_name

)

select
    cohorts.bot_key,
    cohorts.first_chat_date as cohort_date,
    windows.window_name,
    windows.retention_kind,
    windows.first_day,
    windows.last_day,
    cohorts.cohort_size,
    coalesce(counted.returned_count, 0) as returned_count
from cohorts
cross join windows
left join counted
    on cohorts.bot_key = counted.bot_key
    and cohorts.first_chat_date = counted.first_chat_date
    and windows.window_name = counted.window_name
where {{ add_days('cohorts.first_chat_date', 'windows.last_day') }} <= {{ as_of_date() }}
