select
    {{ contract_columns('experiment_exposures') }},
    load_id,
    landed_date
from {{ ref('stg_experiments__exposures__judged') }}
where verdict = 'duplicate'
