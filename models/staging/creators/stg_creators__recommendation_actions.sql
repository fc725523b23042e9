select
    {{ contract_columns('recommendation_actions') }},
    load_id,
    landed_date
from {{ ref('stg_creators__recommendation_actions__judged') }}
where verdict = 'accepted'
