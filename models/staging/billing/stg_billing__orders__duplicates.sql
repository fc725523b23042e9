select
    order_id,
    ordered_at,
    user_id,
    kind,
    gross_amount,
    refunded_amount,
    currency,
    creator_id,
    product_id,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_billing__orders__judged') }}
where verdict = 'duplicate'
