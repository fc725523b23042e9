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
group by load_id, landed_date, verdict, quarantine_reason
