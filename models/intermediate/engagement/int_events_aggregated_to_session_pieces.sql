{{ config(materialized='incremental', unique_key='event_date', pre_hook="{{ drop_vanished_event_days() }}") }}
{%- set touched = touched_event_days('event_count', 'sum(event_count)', 'event_checksum') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
{%- set regenerate = code_of('method', 'regenerate') -%}
{%- set feature_used = code_of('event_name', 'feature_used') -%}
{%- set gap_us = number_var('session_gap_seconds') ~ ' * cast(1000000 as bigint)' -%}
{%- set measures -%}
        min(event_at) as started_at,
        max(event_at) as ended_at,
        count(*) as event_count,
        count(*) filter (where event_code = {{ code_of('event_name', 'bot_view') }}) as view_count,
        count(*) filter (where event_code = {{ message }}) as message_count,
        count(*) filter (where event_code = {{ message }} and method_code is distinct from {{ regenerate }})
            as new_message_count,
        count(*) filter (where event_code = {{ feature_used }}) as feature_use_count,
        -- One bit a feature, so that pieces can be put together without counting a feature twice.
        coalesce(bit_or(case
            when event_code = {{ feature_used }} and feature_code > 0
                then cast(floor(power(2, feature_code - 1)) as bigint)
        end), 0) as feature_mask,
        cast(sum(coalesce(engaged_ms, 0)) as bigint) as engaged_ms
{%- endset -%}
-- A piece is a run of events of one person, day and client session id: another id or a long gap ends it. It
-- depends on its day alone; sessions are put together from pieces, over midnight as well.
with

grouped as (

    select
        person_key, event_date, session_key,
        {{ measures }}
    from {{ ref('int_events_resolved') }}
    where {{ on_days('event_date', touched) }}
    group by person_key, event_date, session_key

),

-- Where the ids of a person neither overlap nor pause, each of them is one run: only other days are put in order.
-- A key is never negative, so -1 stands for no id.
unsettled as (

    select distinct grouped.person_key, grouped.event_date
    from grouped
    inner join grouped as neighbours
        on grouped.person_key = neighbours.person_key
        and grouped.event_date = neighbours.event_date
        and grouped.started_at <= neighbours.ended_at
        and grouped.ended_at >= neighbours.started_at
    where coalesce(grouped.session_key, -1) <> coalesce(neighbours.session_key, -1)
        or {{ epoch_us('grouped.ended_at') }} - {{ epoch_us('grouped.started_at') }} > {{ gap_us }}

),

ordered as (

    select
        events.*,
        lag(events.event_at) over in_time as previous_at,
        lag(events.session_key) over in_time as previous_session_key
    from {{ ref('int_events_resolved') }} as events
    inner join unsettled
        on events.person_key = unsettled.person_key and events.event_date = unsettled.event_date
    where {{ on_days('events.event_date', touched) }}
    window in_time as (
        partition by events.person_key, events.event_date
        -- At the same instant events with an id come first, so that those without one can belong to it.
        order by events.event_at asc nulls last, events.session_key asc nulls last, events.event_key asc nulls last
    )

),

numbered as (

    select
        *,
        sum(case
            when {{ epoch_us('event_at') }} - {{ epoch_us('previous_at') }} > {{ gap_us }} then 1
            when coalesce(session_key, -1) <> coalesce(previous_session_key, -1) then 1
            else 0
        end) over (
            partition by person_key, event_date
            order by event_at asc nulls last, session_key asc nulls last, event_key asc nulls last
            rows between unbounded preceding and current row
        ) as piece_number
    from ordered

),

pieces as (

    select grouped.*
    from grouped
    left join unsettled
        on grouped.person_key = unsettled.person_key and grouped.event_date = unsettled.event_date
    where unsettled.person_key is null
    union all
    select
        person_key, event_date, session_key,
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
