select
    {{ contract_columns('users') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_product__users__judged') }}
where verdict = 'quarantined'
