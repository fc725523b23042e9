select
    {{ contract_columns('acquisition_costs') }},
    load_id,
    landed_date,
    quarantine_reason
from {{ ref('stg_billing__acquisition_costs__judged') }}
where verdict = 'quarantined'
