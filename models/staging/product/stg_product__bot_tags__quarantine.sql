select
    {{ contract_columns('bot_tags') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_product__bot_tags__judged') }}
where verdict = 'quarantined'
