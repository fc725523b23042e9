select
    {{ contract_columns('subscription_events') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_billing__subscription_events__judged') }}
where verdict = 'quarantined'
