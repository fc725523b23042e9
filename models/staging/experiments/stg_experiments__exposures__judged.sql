{{ config(materialized='table') }}

with

landed as (

    select * from {{ raw('experiment_exposures') }}

),

judged as (

    select
        {{ contract_columns('experiment_exposures') }},
        load_id,
        {{ landed_date('experiment_exposures') }} as landed_date,
        {{ row_hash('experiment_exposures') }} as row_hash,
        {{ judgement('experiment_exposures') }} as quarantine_reason
    from landed

),

-- The earliest copy wins, then the smallest content hash; arrival only separates identical rows.
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                experiment_id, variation_id, unit_id, exposed_at,
                case when quarantine_reason is null then 1 else 0 end
            order by
                exposed_at asc nulls last,
                row_hash asc nulls last,
                ingested_at asc nulls last,
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{ contract_columns('experiment_exposures') }},
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
