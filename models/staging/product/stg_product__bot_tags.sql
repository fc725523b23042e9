select
    bot_id,
    tag,
    valid_from,
    valid_to,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_product__bot_tags__judged') }}
where verdict = 'accepted'
