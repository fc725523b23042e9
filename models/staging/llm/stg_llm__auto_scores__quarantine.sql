select
    {{ contract_columns('llm_auto_scores') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_llm__auto_scores__judged') }}
where verdict = 'quarantined'
