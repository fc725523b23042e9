{{ config(
    materialized='incremental',
    unique_key='landed_date',
    pre_hook="{{ drop_vanished_days('landed_date', 'select landed_date from (' ~ raw_cells('events') ~ ') as cells') }}"
) }}
{%- set touched = touched_landed_days() -%}
{%- set elsewhere = none -%}
{%- if touched and touched.dates -%}
    {%- set elsewhere = 'is_copied and landed_date not in (' ~ quoted_list(touched.dates, 'date') ~ ')' -%}
{%- endif -%}
with

-- Ids that landed more than once. Only their rows are ranked: a window over all rows costs thirteen scans.
repeated as (

    select event_key
    from {{ ref('stg_product__events__typed') }}
    where event_key is not null and {{ only_touched(touched) }}
    group by event_key
    having count(*) > 1
    {%- if elsewhere %}
    union
    select event_key from {{ this }} where {{ elsewhere }}
    {%- endif %}

),

-- Copies on days that are not rebuilt: the rows of such an id did not change, so neither did its winner.
elsewhere as (

    {%- if elsewhere %}
    select
        event_id as copied_id,
        max(case when verdict_code = 0 then 1 else 0 end) as holds_winner
    from {{ this }}
    where {{ elsewhere }}
    group by event_id
    {%- else %}
    select cast(null as string) as copied_id, 0 as holds_winner
    where 1 = 0
    {%- endif %}

),

single as (

    select typed.*, 1 as copy_rank, 1 as copy_count, 0 as winner_is_elsewhere
    from {{ ref('stg_product__events__typed') }} as typed
    left join repeated on typed.event_key = repeated.event_key
    where repeated.event_key is null and {{ only_touched(touched) }}

),

-- The earliest copy wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        typed.*,
        row_number() over (
            partition by typed.event_id, case when typed.quarantine_reason is null then 1 else 0 end
            order by
                typed.event_at asc nulls last,
                {{ row_hash('events') }} asc nulls last,
                typed.ingested_at asc nulls last,
                typed.load_id asc nulls last
        ) as copy_rank,
        count(*)
            over (
                partition by typed.event_id, case when typed.quarantine_reason is null then 1 else 0 end
            )
        + case when elsewhere.copied_id is null then 0 else 1
        end as copy_count,
        coalesce(elsewhere.holds_winner, 0) as winner_is_elsewhere
    from {{ ref('stg_product__events__typed') }} as typed
    inner join repeated on typed.event_key = repeated.event_key
    left join elsewhere on typed.event_id = elsewhere.copied_id
    where {{ only_touched(touched) }}

),

judged as (

    select
        *,
        quarantine_reason is null and copy_count > 1 as is_copied,
        cast(
            case
                when quarantine_reason is not null then 2
                when copy_rank > 1 or winner_is_elsewhere = 1 then 1
                else 0
            end as smallint
        ) as verdict_code
    from (
        select * from single
        union all
        select * from ranked
    ) as together

)

select
    {% for column in [
        'event_at', 'event_key', 'load_key', 'user_key', 'anonymous_key', 'bot_key', 'session_key',
        'conversation_key', 'context_key', 'event_code', 'feature_code', 'method_code', 'engaged_ms',
        'revenue_micros', 'is_copied', 'verdict_code', 'quarantine_reason',
    ] %}{{ column }},
    {% endfor -%}
    {{ entity_key("'plumbline'") }} as key_version,
    case when event_code = 0 then event_name end as unknown_event_name,
    -- Texts cost more than all numbers together: a row that is plainly accepted goes without them.
    case when is_copied or verdict_code <> 0 then event_id end as event_id,
    case when is_copied or verdict_code <> 0 then load_id end as load_id,
    case when is_copied or verdict_code <> 0 then ingested_at end as ingested_at,
    case when is_copied or verdict_code <> 0 then {{ row_text('events') }} end as row_text,
    event_date,
    landed_date
from judged
