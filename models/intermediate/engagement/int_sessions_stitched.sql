{{ config(materialized='table') }}
{%- set gap_us = number_var('session_gap_seconds') ~ ' * cast(1000000 as bigint)' -%}
with

pieces as (

    select pieces.*
    from {{ ref('int_events_aggregated_to_session_pieces') }} as pieces
    left join {{ ref('int_user_days_excluded') }} as others
        on pieces.person_key = others.person_key and pieces.event_date = others.event_date
    where others.person_key is null and pieces.event_date <= {{ as_of_date() }}

),

-- A client's id is taken at its word unless it is in use for too long to be a session.
trusted as (

    select
        *,
        case
            when {{ epoch_us('max(ended_at) over (partition by person_key, session_key)') }}
                - {{ epoch_us('min(started_at) over (partition by person_key, session_key)') }}
                <= {{ number_var('session_id_max_seconds') }} * cast(1000000 as bigint)
                then session_key
        end as client_key,
        max(ended_at) over (
            partition by person_key
            order by started_at asc nulls last, ended_at asc nulls last, session_key asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from pieces

),

-- An island is a stretch of a person's events without a long gap, whatever the ids say.
islands as (

    select
        *,
        sum(
            case when {{ epoch_us('started_at') }} - {{ epoch_us('reached_at') }} > {{ gap_us }} then 1 else 0 end
        ) over in_time as island_number,
        count(client_key) over in_time as id_number
    from trusted
    window in_time as (
        partition by person_key
        order by started_at asc nulls last, ended_at asc nulls last, session_key asc nulls last
        rows between unbounded preceding and current row
    )

),

-- Events without an id belong to the id before them in their island, else to the first one after them.
named as (

    select
        *,
        coalesce(
            client_key,
            max(client_key) over (partition by person_key, island_number, id_number),
            first_value(client_key) over (
                partition by person_key, island_number
                order by case when client_key is null then 1 else 0 end asc, id_number asc nulls last
                rows between unbounded preceding and unbounded following
            ),
            -cast(island_number as bigint) - 1
        ) as stitched_key
    from islands

)

select
    person_key,
    stitched_key,
    min(event_date) as session_date,
    min(started_at) as started_at,
    max(ended_at) as ended_at,
    cast(sum(event_count) as bigint) as event_count,
    cast(sum(view_count) as bigint) as view_count,
    cast(sum(message_count) as bigint) as message_count,
    cast(sum(new_message_count) as bigint) as new_message_count,
    cast(sum(feature_use_count) as bigint) as feature_use_count,
    bit_or(feature_mask) as feature_mask,
    cast(sum(engaged_ms) as bigint) as engaged_ms,
    cast(least(
        floor(({{ epoch_us('max(ended_at)') }} - {{ epoch_us('min(started_at)') }}) / 1000),
        {{ number_var('session_max_seconds') }} * 1000
    ) as bigint) as duration_ms
from named
group by person_key, stitched_key
