{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('experiment_counts') }}

),

judged as (

    select
        {{ contract_columns('experiment_counts') }},
        load_id,
        {{ landed_date('experiment_counts') }} as landed_date,
        {{ row_hash('experiment_counts') }} as row_hash,
        {{ judgement('experiment_counts') }} as quarantine_reason
    from landed

),

-- The copy that landed last wins, then the smallest content hash: delivered again, a row is corrected.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                experiment_id, phase, variation_id, metric, exposure_date,
                case when quarantine_reason is null then 1 else 0 end
            order by
                ingested_at desc nulls last,
                row_hash asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{ contract_columns('experiment_counts') }},
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
