select
    activity_date,
    acquisition_channel,
    spend_amount,
    currency,
    ingested_at,
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_billing__acquisition_costs__judged') }}
where verdict = 'quarantined'
