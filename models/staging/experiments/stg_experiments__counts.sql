select
    {{ contract_columns('experiment_counts') }},
    load_id,
    landed_date
from {{ ref('stg_experiments__counts__judged') }}
where verdict = 'accepted'
