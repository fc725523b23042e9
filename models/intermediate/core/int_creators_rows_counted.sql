select
    'creators' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(updated_at as timestamp)) as latest_at
from {{ ref('stg_creators__creators__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'creator_daily' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(activity_date as timestamp)) as latest_at
from {{ ref('stg_creators__creator_days__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'creator_assessments' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(assessed_at as timestamp)) as latest_at
from {{ ref('stg_creators__assessments__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'recommendation_actions' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(implemented_on as timestamp)) as latest_at
from {{ ref('stg_creators__recommendation_actions__judged') }}
group by load_id, landed_date, verdict, quarantine_reason
