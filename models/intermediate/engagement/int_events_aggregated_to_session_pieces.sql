{{ config(
    materialized='incremental',
    unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days() }}"
) }}
{%- set touched = touched_event_days('event_count', 'sum(event_count)', 'event_checksum') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
{%- set feature_used = code_of('event_name', 'feature_used') -%}
{%- set gap_us = number_var('session_gap_seconds') ~ ' * cast(1000000 as bigint)' -%}
{%- set measures -%}
        min(event_at) as started_at,
        max(event_at) as ended_at,
        count(*) as event_count,
        count(*) filter (where event_code = {{ code_of('event_name', 'bot_view') }}) as view_count,
        count(*) filter (where event_code = {{ message }}) as message_count,
        count(*) filter (
            where
            event_code = {{ message }} and method_code is distinct from {{ code_of('method', 'regenerate') }}
        ) as new_message_count,
        count(*) filter (where event_code = {{ feature_used }}) as feature_use_count,
        -- One bit a feature, so that pieces can be put together without counting a feature twice.
        coalesce(bit_or(case
            {%- for feature in event_features() %}
            when event_code = {{ feature_used }} and feature_code = {{ loop.index }} then {{ 2 ** loop.index0 }}
            {%- endfor %}
        end), 0) as feature_mask,
        cast(sum(coalesce(engaged_ms, 0)) as bigint) as engaged_ms
{%- endset -%}
-- A piece is a run of events of one person, day and client session id without a long gap. It depends on its
-- day alone; sessions are put together from pieces, over midnight as well.
with

grouped as (

    select
        person_key,
        event_date,
        session_key,
        {{ measures }}
    from {{ ref('int_events_resolved') }}
    where {{ on_days('event_date', touched) }}
    group by person_key, event_date, session_key

),

-- Only a group longer than the gap can hold one: the others need no order of their events.
long_groups as (

    select
        person_key,
        event_date,
        coalesce(session_key, -1) as session_key
    from grouped
    where {{ epoch_us('ended_at') }} - {{ epoch_us('started_at') }} > {{ gap_us }}

),

ordered as (

    select
        events.*,
        lag(events.event_at) over (
            partition by events.person_key, events.event_date, events.session_key
            order by events.event_at asc nulls last, events.event_key asc nulls last
        ) as previous_at
    from {{ ref('int_events_resolved') }} as events
    inner join long_groups
        on events.person_key = long_groups.person_key
        and events.event_date = long_groups.event_date
        and coalesce(events.session_key, -1) = long_groups.session_key
    where {{ on_days('events.event_date', touched) }}

),

numbered as (

    select
        *,
        sum(
            case when {{ epoch_us('event_at') }} - {{ epoch_us('previous_at') }} > {{ gap_us }} then 1 else 0 end
        ) over (
            partition by person_key, event_date, session_key
            order by event_at asc nulls last, event_key asc nulls last
            rows between unbounded preceding and current row
        ) as piece_number
    from ordered

),

pieces as (

    select grouped.*
    from grouped
    where {{ epoch_us('ended_at') }} - {{ epoch_us('started_at') }} <= {{ gap_us }}
    union all
    select
        person_key,
        event_date,
        session_key,
        {{ measures }}
    from numbered
    group by person_key, event_date, session_key, piece_number

)

select
    pieces.person_key,
    pieces.session_key,
    pieces.started_at,
    pieces.ended_at,
    pieces.event_count,
    pieces.view_count,
    pieces.message_count,
    pieces.new_message_count,
    pieces.feature_use_count,
    cast(pieces.feature_mask as bigint) as feature_mask,
    pieces.engaged_ms,
    days.event_checksum as day_checksum,
    pieces.event_date
from pieces
inner join {{ ref('int_event_days_fingerprinted') }} as days on pieces.event_date = days.event_date
