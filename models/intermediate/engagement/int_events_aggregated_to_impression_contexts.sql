{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('impression_count', 'sum(impression_count)', 'event_checksum') -%}
-- Where cards were shown: a person sees many cards of many bots a day, from few places.
with

impressions as (

    select
        person_key,
        context_key,
        event_date,
        count(*) as impression_count
    from {{ ref('int_events_resolved') }}
    where event_code = {{ code_of('event_name', 'bot_impression') }}
        and bot_key is not null
        and {{ on_days('event_date', touched) }}
    group by person_key, context_key, event_date

)

select
    impressions.person_key,
    impressions.context_key,
    impressions.impression_count,
    days.event_checksum as day_checksum,
    impressions.event_date
from impressions
inner join {{ ref('int_event_days_fingerprinted') }} as days on impressions.event_date = days.event_date
