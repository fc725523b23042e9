select
    {{ contract_columns('llm_auto_scores') }},
    load_id,
    landed_date
from {{ ref('stg_llm__auto_scores__judged') }}
where verdict = 'accepted'
