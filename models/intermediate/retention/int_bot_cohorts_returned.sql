{{ config(materialized='table') }}

-- The cohort of a bot is everybody whose first chat ever with it fell on the day, old hands of the product
-- included; who wrote to it before is not new to it. Returned is a chat with the same bot.
with

aged as (

    select
        person_key,
        bot_key,
        first_chat_date,
        age_days
    from {{ ref('int_bot_chat_days_aged') }}

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}
    where is_for_bots

),

cohorts as (

    select
        bot_key,
        first_chat_date,
        count(*) as cohort_size
    from aged
    where age_days = 0
    group by bot_key, first_chat_date

),

returned as (

    select distinct
        aged.person_key,
        aged.bot_key,
        aged.first_chat_date,
        windows.window_name
    from aged
    inner join windows on aged.age_days between windows.first_day and windows.last_day

),

counted as (

    select
        bot_key,
        first_chat_date,
        window_name,
        count(*) as returned_count
    from returned
    group by bot_key, first_chat_date, window_name

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
