{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('bot_event_count', 'sum(event_count)', 'neighbourhood_checksum') -%}
{%- set view = code_of('event_name', 'bot_view') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
with

counted as (

    select
        person_key,
        bot_key,
        event_date,
        count(*) as event_count,
        count(*) filter (where event_code = {{ code_of('event_name', 'bot_impression') }}) as impression_count,
        count(*) filter (where event_code = {{ view }}) as view_count,
        count(*) filter (where event_code = {{ message }}) as message_count,
        count(*) filter (
            where
            event_code = {{ message }} and method_code is distinct from {{ code_of('method', 'regenerate') }}
        ) as new_message_count,
        count(*) filter (where event_code = {{ code_of('event_name', 'bot_follow') }}) as follow_count,
        count(*) filter (where event_code = {{ code_of('event_name', 'conversation_reset') }}) as reset_count,
        min(case when event_code = {{ view }} then event_at end) as first_viewed_at,
        max(case when event_code = {{ message }} then event_at end) as last_message_at
    from {{ ref('int_events_resolved') }}
    where bot_key is not null and {{ on_days('event_date', touched) }}
    group by person_key, bot_key, event_date

),

clicked as (

    select
        person_key,
        bot_key,
        impression_date,
        count(*) as clicked_impression_count
    from {{ ref('int_views_matched') }}
    where impression_date is not null
        and {{ on_days('impression_date', touched) }}
        and {{ on_days('event_date', around_days(touched)) }}
    group by person_key, bot_key, impression_date

),

attributed as (

    select
        person_key,
        bot_key,
        event_date,
        count(impression_date) as attributed_view_count
    from {{ ref('int_views_matched') }}
    where {{ on_days('event_date', touched) }}
    group by person_key, bot_key, event_date

)

select
    counted.person_key,
    counted.bot_key,
    counted.event_count,
    counted.impression_count,
    coalesce(clicked.clicked_impression_count, 0) as clicked_impression_count,
    counted.view_count,
    coalesce(attributed.attributed_view_count, 0) as attributed_view_count,
    counted.message_count,
    counted.new_message_count,
    counted.follow_count,
    counted.reset_count,
    -- A chat that goes on from yesterday without a new look at the page is no chat start.
    coalesce(counted.last_message_at >= counted.first_viewed_at, false) as is_chat_start,
    days.neighbourhood_checksum as day_checksum,
    counted.event_date
from counted
left join clicked
    on counted.person_key = clicked.person_key
    and counted.bot_key = clicked.bot_key
    and counted.event_date = clicked.impression_date
left join attributed
    on counted.person_key = attributed.person_key
    and counted.bot_key = attributed.bot_key
    and counted.event_date = attributed.event_date
inner join {{ ref('int_event_days_fingerprinted') }} as days on counted.event_date = days.event_date
