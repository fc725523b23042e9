select
    {{ contract_columns('bot_tags') }},
    load_id,
    landed_date
from {{ ref('stg_product__bot_tags__judged') }}
where verdict = 'duplicate'
