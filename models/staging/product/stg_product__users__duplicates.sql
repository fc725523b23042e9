select
    user_id,
    updated_at,
    signed_up_at,
    role,
    country,
    platform,
    language,
    acquisition_channel,
    is_internal,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_product__users__judged') }}
where verdict = 'duplicate'
