{{ config(materialized='table') }}

with

-- The last change of a day is the bot as of that day.
changes as (

    select
        bots.*,
        {{ reporting_date('bots.updated_at') }} as updated_date,
        row_number() over (
            partition by bots.bot_id, {{ reporting_date('bots.updated_at') }}
            order by bots.updated_at desc nulls last
        ) as change_rank
    from {{ ref('stg_product__bots') }} as bots

),

versions as (

    select
        *,
        row_number() over (partition by bot_id order by updated_date asc nulls last) as version_number,
        lead(updated_date) over (partition by bot_id order by updated_date asc nulls last) as next_date
    from changes
    where change_rank = 1

),

-- Bots that only occur in events still count: their attributes are unknown, not their activity.
unregistered as (

    select distinct event_ids.entity_id as bot_id
    from {{ ref('stg_product__event_ids') }} as event_ids
    left join {{ ref('stg_product__bots') }} as bots on event_ids.entity_id = bots.bot_id
    where event_ids.entity = 'bot' and event_ids.entity_id is not null and bots.bot_id is null

)

select
    {{ entity_key('bot_id') }} as bot_key,
    bot_id,
    -- Events may carry a bot before its first record arrives: the first version reaches back.
    case when version_number = 1 then cast('1900-01-01' as date) else updated_date end as valid_from_date,
    coalesce({{ add_days('next_date', -1) }}, cast('9999-12-31' as date)) as valid_to_date,
    coalesce(creator_id, 'unknown') as creator_id,
    name as bot_name,
    {{ unicode_nfc('name') }} as bot_name_key,
    workflow,
    coalesce(model_version, 'unknown') as model_version,
    created_at,
    is_ai_generated,
    next_date is null as is_current,
    true as is_registered
from versions
union all
select
    {{ entity_key('bot_id') }} as bot_key,
    bot_id,
    cast('1900-01-01' as date) as valid_from_date,
    cast('9999-12-31' as date) as valid_to_date,
    'unknown' as creator_id,
    'unknown' as bot_name,
    'unknown' as bot_name_key,
    'unknown' as workflow,
    'unknown' as model_version,
    cast(null as timestamp) as created_at,
    cast(null as boolean) as is_ai_generated,
    true as is_current,
    false as is_registered
from unregistered
