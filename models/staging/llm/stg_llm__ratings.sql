select
    {{ contract_columns('llm_ratings') }},
    load_id,
    landed_date
from {{ ref('stg_llm__ratings__judged') }}
where verdict = 'accepted'
