{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('recommendation_actions') }}

),

judged as (

    select
        {{ contract_columns('recommendation_actions') }},
        load_id,
        {{ landed_date('recommendation_actions') }} as landed_date,
        {{ row_hash('recommendation_actions') }} as row_hash,
        {{ judgement('recommendation_actions') }} as quarantine_reason
    from landed

),

-- The earliest copy wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                action_id,
                case when quarantine_reason is null then 1 else 0 end
            order by
                implemented_on asc nulls last,
                row_hash asc nulls last,
                ingested_at asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{ contract_columns('recommendation_actions') }},
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
