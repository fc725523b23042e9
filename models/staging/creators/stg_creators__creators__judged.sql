{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('creators') }}

),

judged as (

    select
        creator_id,
        updated_at,
        handle,
        category,
        joined_at,
        target_revenue_usd,
        target_aov_usd,
        target_reach,
        target_cpa_usd,
        target_cpe_usd,
        target_cpv_usd,
        ingested_at,
        load_id,
        {{ landed_date('creators') }} as landed_date,
        {{ row_hash('creators') }} as row_hash,
        {{ judgement('creators') }} as quarantine_reason
    from landed

),

-- The latest version wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by creator_id, case when quarantine_reason is null then 1 else 0 end
            order by
                updated_at desc nulls last,
                row_hash asc nulls last,
                ingested_at asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    creator_id,
    updated_at,
    handle,
    category,
    joined_at,
    target_revenue_usd,
    target_aov_usd,
    target_reach,
    target_cpa_usd,
    target_cpe_usd,
    target_cpv_usd,
    ingested_at,
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
