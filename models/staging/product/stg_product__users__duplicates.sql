select
    {{ contract_columns('users') }},
    load_id,
    landed_date
from {{ ref('stg_product__users__judged') }}
where verdict = 'duplicate'
