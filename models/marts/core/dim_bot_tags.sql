select
    bot_id,
    tag,
    valid_from_date,
    valid_to_date
from {{ ref('int_bot_tags_merged') }}
