{{ config(
    materialized='incremental',
    unique_key='landed_date',
    pre_hook="{{ drop_vanished_days('landed_date', 'select landed_date from (' ~ raw_cells('events') ~ ') as cells') }}"
) }}
{%- set touched = touched_landed_days() -%}
{%- set lean = [
    'landed_date', 'event_date', 'event_at', 'load_key', 'event_key', 'user_key', 'anonymous_key', 'bot_key',
    'session_key', 'conversation_key', 'context_key', 'event_code', 'feature_code', 'method_code', 'engaged_ms',
    'revenue_micros', 'quarantine_reason',
] -%}
with

-- Ids that landed more than once. Only their rows are ranked: a window over all rows costs thirteen scans.
repeated as (

    select event_key
    from {{ ref('stg_product__events__typed') }}
    where event_key is not null and {{ only_touched(touched) }}
    group by event_key
    having count(*) > 1
    {%- if touched is not none and touched.dates %}

    union

    select event_key
    from {{ this }}
    where is_copied and landed_date not in ({{ quoted_list(touched.dates, 'date') }})
    {%- endif %}

),

-- Copies on days that are not rebuilt: the rows of such an id did not change, so neither did its winner.
elsewhere as (

    {%- if touched is not none and touched.dates %}
    select
        event_id,
        max(case when verdict_code = 0 then 1 else 0 end) as holds_winner
    from {{ this }}
    where is_copied and landed_date not in ({{ quoted_list(touched.dates, 'date') }})
    group by event_id
    {%- else %}
    select
        cast(null as string) as event_id,
        0 as holds_winner
    where 1 = 0
    {%- endif %}

),

single as (

    select
        {% for column in lean %}typed.{{ column }},
        {% endfor -%}
        false as is_copied,
        cast(case when typed.quarantine_reason is null then 0 else 2 end as smallint) as verdict_code,
        typed.event_id,
        typed.load_id,
        typed.ingested_at,
        typed.event_name as unknown_event_name,
        case when typed.quarantine_reason is not null then {{ row_text('events') }} end as row_text
    from {{ ref('stg_product__events__typed') }} as typed
    left join repeated on typed.event_key = repeated.event_key
    where repeated.event_key is null and {{ only_touched(touched) }}

),

copies as (

    select
        typed.*,
        {{ row_text('events') }} as row_text
    from {{ ref('stg_product__events__typed') }} as typed
    inner join repeated on typed.event_key = repeated.event_key
    where {{ only_touched(touched) }}

),

-- The earliest copy wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        copies.*,
        coalesce(elsewhere.holds_winner, 0) as winner_is_elsewhere,
        case when elsewhere.event_id is null then 0 else 1 end as copied_elsewhere,
        case when copies.quarantine_reason is null then 1 else 0 end as competes,
        row_number() over (
            partition by copies.event_id, case when copies.quarantine_reason is null then 1 else 0 end
            order by
                copies.event_at asc nulls last,
                md5(copies.row_text) asc nulls last,
                copies.ingested_at asc nulls last,
                copies.load_id asc nulls last
        ) as copy_rank,
        count(*) over (
            partition by copies.event_id, case when copies.quarantine_reason is null then 1 else 0 end
        ) as copy_count
    from copies
    left join elsewhere on copies.event_id = elsewhere.event_id

),

resolved as (

    select
        {% for column in lean %}{{ column }},
        {% endfor -%}
        competes = 1 and copy_count + copied_elsewhere > 1 as is_copied,
        cast(
            case
                when competes = 0 then 2
                when copy_rank > 1 or winner_is_elsewhere = 1 then 1
                else 0
            end as smallint
        ) as verdict_code,
        event_id,
        load_id,
        ingested_at,
        event_name as unknown_event_name,
        row_text
    from ranked

),

together as (

    select * from single
    union all
    select * from resolved

)

select
    event_at,
    event_key,
    load_key,
    user_key,
    anonymous_key,
    bot_key,
    session_key,
    conversation_key,
    context_key,
    event_code,
    feature_code,
    method_code,
    engaged_ms,
    revenue_micros,
    {{ row_checksum([
        'event_key', 'event_at', 'user_key', 'anonymous_key', 'bot_key', 'session_key', 'conversation_key',
        'context_key', 'event_code', 'engaged_ms', 'revenue_micros',
    ]) }} as row_checksum,
    {{ entity_key("'plumbline'") }} as key_version,
    is_copied,
    verdict_code,
    quarantine_reason,
    case when event_code = 0 then unknown_event_name end as unknown_event_name,
    -- Texts cost more than all numbers together: a row that is plainly accepted goes without them.
    case when is_copied or verdict_code <> 0 then event_id end as event_id,
    case when is_copied or verdict_code <> 0 then load_id end as load_id,
    case when is_copied or verdict_code <> 0 then ingested_at end as ingested_at,
    case when is_copied or verdict_code <> 0 then row_text end as row_text,
    event_date,
    landed_date
from together
