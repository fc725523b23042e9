select
    {{ contract_columns('subscription_events') }},
    load_id,
    landed_date
from {{ ref('stg_billing__subscription_events__judged') }}
where verdict = 'duplicate'
