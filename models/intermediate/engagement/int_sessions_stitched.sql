{{ config(materialized='table') }}
{%- set gap_us = number_var('session_gap_seconds') ~ ' * cast(1000000 as bigint)' -%}
{%- set id_max_us = number_var('session_id_max_seconds') ~ ' * cast(1000000 as bigint)' -%}
{%- set measures -%}
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
        least(
            cast(floor(({{ epoch_us('max(ended_at)') }} - {{ epoch_us('min(started_at)') }}) / 1000) as bigint),
            cast({{ number_var('session_max_seconds') }} * 1000 as bigint)
        ) as duration_ms
{%- endset -%}
with

pieces as (

    select pieces.*
    from {{ ref('int_events_aggregated_to_session_pieces') }} as pieces
    left join {{ ref('int_user_days_excluded') }} as excluded
        on pieces.person_key = excluded.person_key and pieces.event_date = excluded.event_date
    where excluded.person_key is null and pieces.event_date <= {{ as_of_date() }}

),

-- A client's id is taken at its word unless it is in use for too long to be a session.
claimed as (

    select
        person_key,
        session_key,
        session_key is not null
        and {{ epoch_us('max(ended_at)') }} - {{ epoch_us('min(started_at)') }} <= {{ id_max_us }} as is_session,
        {{ measures }}
    from pieces
    group by person_key, session_key

),

-- Only who has events without a usable id needs an order of them: for the others each id is a session.
unsettled as (

    select distinct person_key
    from claimed
    where not is_session

),

ordered as (

    select
        pieces.*,
        case when claimed.is_session then pieces.session_key end as client_key,
        lag(pieces.ended_at) over (
            partition by pieces.person_key
            order by pieces.started_at asc nulls last, pieces.ended_at asc nulls last, pieces.session_key asc nulls last
        ) as previous_at
    from pieces
    inner join unsettled on pieces.person_key = unsettled.person_key
    left join claimed
        on pieces.person_key = claimed.person_key and pieces.session_key = claimed.session_key

),

-- An island is a stretch of a person's events without a long gap, whatever the ids say.
islands as (

    select
        *,
        sum(
            case when {{ epoch_us('started_at') }} - {{ epoch_us('previous_at') }} > {{ gap_us }} then 1 else 0 end
        ) over in_time as island_number,
        count(client_key) over in_time as id_number
    from ordered
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
                order by case when client_key is null then 1 else 0 end asc nulls last, id_number asc nulls last
                rows between unbounded preceding and unbounded following
            ),
            -cast(island_number as bigint) - 1
        ) as stitched_key
    from islands

)

select
    claimed.person_key, claimed.session_key as stitched_key, claimed.session_date, claimed.started_at, claimed.ended_at,
    claimed.event_count, claimed.view_count, claimed.message_count, claimed.new_message_count,
    claimed.feature_use_count, claimed.feature_mask, claimed.engaged_ms, claimed.duration_ms
from claimed
left join unsettled on claimed.person_key = unsettled.person_key
where unsettled.person_key is null
union all
select
    person_key, stitched_key,
    {{ measures }}
from named
group by person_key, stitched_key
