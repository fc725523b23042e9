{{ config(materialized='table') }}
{%- set since = add_days('people.snapshot_date', '-' ~ number_var('churn_days')) %}

-- Sessions and bots of the horizon up to the snapshot. A session may go on after the snapshot's midnight: its start
-- counts, its length would tell of the day after.
with

people as (

    select * from {{ ref('int_churn_persons_labelled') }}

),

sessions as (

    select
        people.person_key,
        people.snapshot_date,
        cast(sum(days.session_count) as bigint) as session_count
    from people
    inner join {{ ref('int_sessions_aggregated_to_user_days') }} as days
        on people.person_key = days.person_key
        and people.snapshot_date >= days.session_date
        and {{ since }} < days.session_date
    group by people.person_key, people.snapshot_date

),

bots as (

    select
        people.person_key,
        people.snapshot_date,
        count(distinct case when days.new_message_count > 0 then days.bot_key end) as chatted_bot_count,
        count(distinct case when days.view_count > 0 then days.bot_key end) as viewed_bot_count
    from people
    inner join {{ ref('int_bot_user_days_human') }} as days
        on people.person_key = days.person_key
        and people.snapshot_date >= days.event_date
        and {{ since }} < days.event_date
    group by people.person_key, people.snapshot_date

)

select
    people.person_key,
    people.snapshot_date,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(bots.chatted_bot_count, 0) as chatted_bot_count,
    coalesce(bots.viewed_bot_count, 0) as viewed_bot_count
from people
left join sessions on people.person_key = sessions.person_key and people.snapshot_date = sessions.snapshot_date
left join bots on people.person_key = bots.person_key and people.snapshot_date = bots.snapshot_date
