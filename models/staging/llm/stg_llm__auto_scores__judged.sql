{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('llm_auto_scores') }}

),

judged as (

    select
        {{ contract_columns('llm_auto_scores') }},
        load_id,
        {{ landed_date('llm_auto_scores') }} as landed_date,
        {{ row_hash('llm_auto_scores') }} as row_hash,
        {{ judgement('llm_auto_scores') }} as quarantine_reason
    from landed

),

-- The latest version wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                response_id, scorer_version,
                case when quarantine_reason is null then 1 else 0 end
            order by
                scored_at desc nulls last,
                row_hash asc nulls last,
                ingested_at asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{ contract_columns('llm_auto_scores') }},
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
