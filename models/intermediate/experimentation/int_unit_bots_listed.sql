-- Bots whose use is an outcome of a unit: the bot itself, or all bots a creator had on the day.
select distinct
    'bot' as unit_type,
    bot_key as unit_key,
    bot_key,
    cast('1900-01-01' as date) as valid_from_date,
    cast('9999-12-31' as date) as valid_to_date
from {{ ref('int_bots_versioned') }}
union all
select
    'creator' as unit_type,
    {{ entity_key('creator_id') }} as unit_key,
    bot_key,
    valid_from_date,
    valid_to_date
from {{ ref('int_bots_versioned') }}
where creator_id <> 'unknown'
