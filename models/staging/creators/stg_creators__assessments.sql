select
    {{ contract_columns('creator_assessments') }},
    load_id,
    landed_date
from {{ ref('stg_creators__assessments__judged') }}
where verdict = 'accepted'
