select
    event_id,
    event_time,
    subscription_id,
    user_id,
    event_type,
    plan_id,
    period_count,
    period_unit,
    amount,
    currency,
    period_end,
    store,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_billing__subscription_events__judged') }}
where verdict = 'quarantined'
