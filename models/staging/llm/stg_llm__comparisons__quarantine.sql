select
    {{ contract_columns('llm_comparisons') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_llm__comparisons__judged') }}
where verdict = 'quarantined'
