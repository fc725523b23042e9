select
    event_id,
    load_id,
    event_at,
    landed_date,
    ingested_at,
    row_text
from {{ ref('stg_product__events__judged') }}
where verdict_code = 1
