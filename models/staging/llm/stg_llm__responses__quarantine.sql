select
    {{ contract_columns('llm_responses') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_llm__responses__judged') }}
where verdict = 'quarantined'
