-- Facts carry 60-bit keys in place of ids; two ids with one key would be one person or one bot. Users and devices
-- share a key space because both are persons.
select
    case when entity = 'bot' then 'bot' else 'person' end as key_space,
    entity_key,
    min(entity_id) as first_id,
    max(entity_id) as last_id
from {{ ref('stg_product__event_ids') }}
where entity_id is not null
group by case when entity = 'bot' then 'bot' else 'person' end, entity_key
having min(entity_id) <> max(entity_id)
