select
    {{ contract_columns('bots') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_product__bots__judged') }}
where verdict = 'quarantined'
