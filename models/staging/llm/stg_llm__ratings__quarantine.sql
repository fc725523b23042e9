select
    {{ contract_columns('llm_ratings') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_llm__ratings__judged') }}
where verdict = 'quarantined'
