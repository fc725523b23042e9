select
    'subscription_events' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(event_time as timestamp)) as latest_at
from {{ ref('stg_billing__subscription_events__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'orders' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(ordered_at as timestamp)) as latest_at
from {{ ref('stg_billing__orders__judged') }}
group by load_id, landed_date, verdict, quarantine_reason

union all

select
    'acquisition_costs' as table_name,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    verdict,
    coalesce(quarantine_reason, 'none') as quarantine_reason,
    count(*) as row_count,
    max(cast(activity_date as timestamp)) as latest_at
from {{ ref('stg_billing__acquisition_costs__judged') }}
group by load_id, landed_date, verdict, quarantine_reason
