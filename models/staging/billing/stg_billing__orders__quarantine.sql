select
    {{ contract_columns('orders') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_billing__orders__judged') }}
where verdict = 'quarantined'
