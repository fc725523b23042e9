{{ config(materialized='table') }}
{%- set horizon = number_var('churn_days') | int %}
{%- set recent = "days.event_date > " ~ add_days('people.snapshot_date', -horizon) %}
{%- set active = recent ~ " and days.is_active" %}

-- What people did on days up to and with the snapshot; no later day is read.
with

days as (

    select * from {{ ref('int_user_days_classified') }}

),

people as (

    select * from {{ ref('int_churn_persons_labelled') }}

),

counted as (

    select
        people.person_key,
        people.snapshot_date,
        min(case when days.is_active then days.event_date end) as first_active_date,
        max(case when days.is_active then days.event_date end) as last_active_date,
        count(case when days.is_active then 1 end) as lifetime_active_days,
        count(case when {{ active }} then 1 end) as active_days,
        {%- for length in [7, 14] %}
        count(case
            when days.is_active and days.event_date > {{ add_days('people.snapshot_date', -length) }} then 1
        end) as active_days_{{ length }},
        {%- endfor %}
        count(case when {{ active }} and {{ iso_day_of_week('days.event_date') }} >= 6 then 1 end)
            as weekend_active_days,
        count(case when {{ recent }} and not days.is_active then 1 end) as idle_visit_days,
        {%- for name in [
            'new_message', 'message_sent', 'regenerate_message', 'edit_message', 'continue_message', 'feature_used',
            'bot_follow', 'image_generated', 'conversation_reset', 'ad_impression',
        ] %}
        sum(case when {{ recent }} then days.{{ name }}_count else 0 end) as {{ name }}_count,
        {%- endfor %}
        {%- for feature in event_features() %}
        max(case when {{ recent }} and days.{{ feature }}_use_count > 0 then 1 else 0 end){{ ' +' if not loop.last }}
        {%- endfor %} as feature_kind_count,
        sum(case when {{ recent }} then coalesce(days.engaged_ms, 0) else 0 end) as engaged_ms
    from people
    inner join days on people.person_key = days.person_key and people.snapshot_date >= days.event_date
    where days.is_human
    group by people.person_key, people.snapshot_date

)

select
    person_key,
    snapshot_date,
    cast({{ day_diff('last_active_date', 'snapshot_date') }} as bigint) as recency_days,
    cast({{ day_diff('first_active_date', 'snapshot_date') }} as bigint) as tenure_days,
    lifetime_active_days,
    active_days,
    active_days_7,
    active_days_14,
    weekend_active_days,
    idle_visit_days,
    {%- for name in [
        'new_message', 'message_sent', 'regenerate_message', 'edit_message', 'continue_message', 'feature_used',
        'bot_follow', 'image_generated', 'conversation_reset', 'ad_impression', 'feature_kind',
    ] %}
    cast({{ name }}_count as bigint) as {{ name }}_count,
    {%- endfor %}
    cast(engaged_ms as bigint) as engaged_ms
from counted
