select
    'llm_responses' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(responded_at as timestamp)) as latest_at
from {{ ref('stg_llm__responses__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'llm_ratings' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(rated_at as timestamp)) as latest_at
from {{ ref('stg_llm__ratings__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'llm_comparisons' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(compared_at as timestamp)) as latest_at
from {{ ref('stg_llm__comparisons__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'llm_auto_scores' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(scored_at as timestamp)) as latest_at
from {{ ref('stg_llm__auto_scores__judged') }}
group by load_id, landed_date, verdict, quarantine_reason
