select
    'experiments' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(started_at as timestamp)) as latest_at
from {{ ref('stg_experiments__experiments__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'experiment_exposures' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(exposed_at as timestamp)) as latest_at
from {{ ref('stg_experiments__exposures__judged') }}
where verdict <> 'accepted'
group by load_id, landed_date, verdict, quarantine_reason

union all

-- What staging accepts by itself is judged once more by the registry, which is another table.
select
    'experiment_exposures' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    case when is_placed then 'accepted' else 'quarantined' end as verdict,
    case when is_placed then 'none' else 'no_phase' end as quarantine_reason,
    count(*) as row_count,
    max(cast(exposed_at as timestamp)) as latest_at
from {{ ref('int_exposures_placed') }}
group by load_id, landed_date, is_placed

union all

select
    'experiment_counts' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(exposure_date as timestamp)) as latest_at
from {{ ref('stg_experiments__counts__judged') }}
where verdict <> 'accepted'
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'experiment_counts' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    case when quarantine_reason = 'none' then 'accepted' else 'quarantined' end as verdict,
    quarantine_reason,
    count(*) as row_count,
    max(cast(exposure_date as timestamp)) as latest_at
from {{ ref('int_experiment_counts_placed') }}
group by load_id, landed_date, quarantine_reason
