select
    {{ contract_columns('bots') }},
    load_id,
    landed_date
from {{ ref('stg_product__bots__judged') }}
where verdict = 'duplicate'
