{{ config(
    materialized='incremental',
    unique_key='landed_date',
    pre_hook="{{ drop_vanished_days('landed_date', 'select landed_date from (' ~ raw_cells('events') ~ ') as cells') }}"
) }}
{%- set touched = touched_term_days() -%}
-- Keys travel through the warehouse; this is where a reader gets the text of an id back.
with

-- An id that only occurs in quarantine names nobody.
named as (

    select
        load_key,
        landed_date,
        case when quarantine_reason is null then user_id end as user_id,
        case when quarantine_reason is null then anonymous_id end as anonymous_id,
        case when quarantine_reason is null then bot_id end as bot_id
    from {{ ref('stg_product__events__typed') }}
    where {{ only_touched(touched) }}

),

grouped as (

    select
        case
            when grouping(user_id) = 0 then 'user'
            when grouping(anonymous_id) = 0 then 'anonymous'
            else 'bot'
        end as entity,
        coalesce(user_id, anonymous_id, bot_id) as entity_id,
        load_key,
        landed_date,
        count(*) as event_count
    from named
    group by grouping sets ( -- noqa: PRS
        (user_id, load_key, landed_date),
        (anonymous_id, load_key, landed_date),
        (bot_id, load_key, landed_date)
    )

)

select
    entity,
    {{ entity_key('entity_id') }} as entity_key,
    entity_id,
    load_key,
    -- Every raw row counts once over the table, so that its days can be checked against what landed.
    cast(case when entity = 'bot' then event_count else 0 end as bigint) as row_count,
    landed_date
from grouped
where entity = 'bot' or entity_id is not null
