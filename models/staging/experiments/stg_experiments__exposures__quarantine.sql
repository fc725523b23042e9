select
    {{ contract_columns('experiment_exposures') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_experiments__exposures__judged') }}
where verdict = 'quarantined'
