select
    {{ contract_columns('creator_daily') }},
    load_id,
    landed_date
from {{ ref('stg_creators__creator_days__judged') }}
where verdict = 'accepted'
