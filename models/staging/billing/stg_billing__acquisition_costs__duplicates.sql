select
    activity_date,
    acquisition_channel,
    spend_amount,
    currency,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_billing__acquisition_costs__judged') }}
where verdict = 'duplicate'
