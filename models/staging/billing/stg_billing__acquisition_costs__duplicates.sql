select
    {{ contract_columns('acquisition_costs') }},
    load_id,
    landed_date
from {{ ref('stg_billing__acquisition_costs__judged') }}
where verdict = 'duplicate'
