select
    'events' as table_name,
    load_key,
    landed_date,
    case verdict_code when 0 then 'accepted' when 1 then 'duplicate' else 'quarantined' end as verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(event_at) as latest_at
from {{ ref('stg_product__events__judged') }}
group by load_key, landed_date, verdict_code, quarantine_reason

union all

select
    'identity_links' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(linked_at as timestamp)) as latest_at
from {{ ref('stg_product__identity_links__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'users' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(updated_at as timestamp)) as latest_at
from {{ ref('stg_product__users__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'bots' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(updated_at as timestamp)) as latest_at
from {{ ref('stg_product__bots__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'bot_tags' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(valid_from as timestamp)) as latest_at
from {{ ref('stg_product__bot_tags__judged') }}
group by load_id, landed_date, verdict, quarantine_reason
