{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('llm_ratings') }}

),

judged as (

    select
        {{ contract_columns('llm_ratings') }},
        load_id,
        {{ landed_date('llm_ratings') }} as landed_date,
        {{ row_hash('llm_ratings') }} as row_hash,
        {{ judgement('llm_ratings') }} as quarantine_reason
    from landed

),

-- The earliest copy wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                rating_id,
                case when quarantine_reason is null then 1 else 0 end
            order by
                rated_at asc nulls last,
                row_hash asc nulls last,
                ingested_at asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{ contract_columns('llm_ratings') }},
    load_id,
    landed_date,
    row_hash,
    quarantine_reason,
    case
        when quarantine_reason is not null then 'quarantined'
        when copy_rank > 1 then 'duplicate'
        else 'accepted'
    end as verdict
from ranked
