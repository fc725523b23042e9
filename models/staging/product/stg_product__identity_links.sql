select
    {{ contract_columns('identity_links') }},
    load_id,
    landed_date
from {{ ref('stg_product__identity_links__judged') }}
where verdict = 'accepted'
