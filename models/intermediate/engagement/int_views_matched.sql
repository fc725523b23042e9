{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('view_count', 'count(*)', 'neighbourhood_checksum') -%}
{%- set impression = code_of('event_name', 'bot_impression') -%}
{%- set view = code_of('event_name', 'bot_view') -%}
{%- if number_var('click_window_seconds') | int > 86400 -%}
    {{ exceptions.raise_compiler_error("click_window_seconds may not exceed a day (86400): a day is rebuilt with its neighbours only.") }}
{%- endif -%}
with

viewed_pairs as (

    select distinct
        person_key,
        bot_key
    from {{ ref('int_events_resolved') }}
    where event_code = {{ view }} and bot_key is not null and {{ on_days('event_date', touched) }}

),

-- Only pairs that have a view are put in order: most impressions lead to none.
sequenced as (

    select
        events.person_key,
        events.bot_key,
        events.context_key,
        events.event_at,
        events.event_date,
        events.event_code,
        lag(events.event_code) over pair_in_time as previous_code,
        lag(events.event_at) over pair_in_time as previous_at,
        lag(events.event_date) over pair_in_time as previous_date,
        lag(events.context_key) over pair_in_time as previous_context_key
    from {{ ref('int_events_resolved') }} as events
    inner join viewed_pairs
        on events.person_key = viewed_pairs.person_key and events.bot_key = viewed_pairs.bot_key
    where events.event_code in ({{ impression }}, {{ view }})
        and {{ on_days('events.event_date', around_days(touched)) }}
    window pair_in_time as (
        partition by events.person_key, events.bot_key
        -- At the same instant the card was shown before it was opened.
        order by events.event_at asc nulls last, events.event_code asc nulls last, events.event_key asc nulls last
    )

),

-- The latest earlier impression is the row before the view; if that row is another view, it took the impression.
matched as (

    select
        person_key,
        bot_key,
        context_key,
        event_at,
        event_date,
        previous_at,
        previous_date,
        previous_context_key,
        coalesce(
            previous_code = {{ impression }}
            and {{ epoch_us('event_at') }} - {{ epoch_us('previous_at') }}
            <= {{ number_var('click_window_seconds') }} * cast(1000000 as bigint),
            false
        ) as is_attributed
    from sequenced
    where event_code = {{ view }} and {{ on_days('event_date', touched) }}

)

select
    matched.person_key,
    matched.bot_key,
    matched.context_key,
    matched.event_at as viewed_at,
    case when matched.is_attributed then matched.previous_date end as impression_date,
    case when matched.is_attributed then matched.previous_at end as impression_at,
    case when matched.is_attributed then matched.previous_context_key end as impression_context_key,
    days.neighbourhood_checksum as day_checksum,
    matched.event_date
from matched
inner join {{ ref('int_event_days_fingerprinted') }} as days on matched.event_date = days.event_date
