select
    {{ contract_columns('creators') }},
    load_id,
    landed_date
from {{ ref('stg_creators__creators__judged') }}
where verdict = 'duplicate'
