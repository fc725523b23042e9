select
    {{ contract_columns('experiments') }},
    load_id,
    landed_date
from {{ ref('stg_experiments__experiments__judged') }}
where verdict = 'duplicate'
