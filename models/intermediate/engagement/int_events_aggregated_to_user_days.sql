{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('event_count', 'sum(event_count)', 'event_checksum') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
{%- set feature_used = code_of('event_name', 'feature_used') -%}
with

user_days as (

    select
        person_key,
        event_date,
        count(*) as event_count,
        {%- for name in event_names() %}
        count(*) filter (where event_code = {{ code_of('event_name', name) }}) as {{ name }}_count,
        {%- endfor %}
        count(*) filter (where event_code = 0) as unknown_event_count,
        {%- for method in event_methods() %}
        count(*) filter (
            where
            event_code = {{ message }} and method_code = {{ code_of('method', method) }}
        ) as {{ method }}_message_count,
        {%- endfor %}
        count(*) filter (
            where
            event_code = {{ message }} and method_code is distinct from {{ code_of('method', 'regenerate') }}
        ) as new_message_count,
        {%- for feature in event_features() %}
        count(*) filter (
            where
            event_code = {{ feature_used }} and feature_code = {{ code_of('feature', feature) }}
        ) as {{ feature }}_use_count,
        {%- endfor %}
        {{ first_by('context_key', ['event_at', 'event_key']) }} as first_context_key,
        cast(sum(coalesce(engaged_ms, 0)) as bigint) as engaged_ms,
        cast(sum(coalesce(revenue_micros, 0)) as bigint) as ad_revenue_micros
    from {{ ref('int_events_resolved') }}
    where {{ on_days('event_date', touched) }}
    group by person_key, event_date

),

-- A minute cannot hold more messages than its day: only days that could break a limit are cut into minutes.
busy_days as (

    select
        person_key,
        event_date
    from user_days
    where message_sent_count > {{ busy_day_floor() }}

),

minutes as (

    select
        events.person_key,
        events.event_date,
        {{ minute_number('events.event_at') }} as minute_number,
        count(*) as message_count
    from {{ ref('int_events_resolved') }} as events
    inner join busy_days
        on events.person_key = busy_days.person_key and events.event_date = busy_days.event_date
    where events.event_code = {{ message }} and {{ on_days('events.event_date', touched) }}
    group by events.person_key, events.event_date, {{ minute_number('events.event_at') }}

),

busiest as (

    select
        person_key,
        event_date,
        max(message_count) as busiest_minute_message_count
    from minutes
    group by person_key, event_date

)

select
    user_days.person_key,
    user_days.event_count,
    {%- for name in event_names() %}
    user_days.{{ name }}_count,
    {%- endfor %}
    user_days.unknown_event_count,
    {%- for method in event_methods() %}
    user_days.{{ method }}_message_count,
    {%- endfor %}
    user_days.new_message_count,
    {%- for feature in event_features() %}
    user_days.{{ feature }}_use_count,
    {%- endfor %}
    user_days.first_context_key,
    user_days.engaged_ms,
    user_days.ad_revenue_micros,
    busiest.busiest_minute_message_count,
    days.event_checksum as day_checksum,
    user_days.event_date
from user_days
left join busiest
    on user_days.person_key = busiest.person_key and user_days.event_date = busiest.event_date
inner join {{ ref('int_event_days_fingerprinted') }} as days on user_days.event_date = days.event_date
