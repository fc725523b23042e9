-- PostHog (batch export) -> users. One row per exported version of a person that has signed in; staging keeps
-- each user's latest. A person's device ids are no users: only ids that an $identify named are.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: the exported events.
source_rows as (

    select
        cast(null as string) as event,
        cast(null as string) as distinct_id
    where 1 = 0

),

-- Put your table here: the exported persons, one row per distinct_id and version.
source_persons as (

    select
        cast(null as string) as distinct_id,
        cast(null as string) as properties,
        cast(null as timestamp) as created_at,
        cast(null as timestamp) as inserted_at
    where 1 = 0

),

signed_in as (

    select distinct distinct_id
    from source_rows
    where event = '$identify'

),

described as (

    select
        source_persons.distinct_id as user_id,
        source_persons.created_at,
        source_persons.inserted_at,
        {{ json_text('source_persons.properties', 'role') }} as role,
        {{ json_text('source_persons.properties', '$initial_geoip_country_code') }} as country,
        {{ json_text('source_persons.properties', '$initial_os') }} as device_system,
        {{ json_text('source_persons.properties', 'language') }} as language,
        {{ json_text('source_persons.properties', '$initial_utm_source') }} as acquisition_channel,
        {{ json_text('source_persons.properties', 'is_internal') }} as internal_mark
    from source_persons
    inner join signed_in on source_persons.distinct_id = signed_in.distinct_id

)

select
    user_id,
    inserted_at as updated_at,
    created_at as signed_up_at,
    role,
    country,
    case
        when lower(device_system) in ('ios', 'ipados') then 'ios'
        when lower(device_system) = 'android' then 'android'
        when device_system is not null then 'web'
    end as platform,
    language,
    acquisition_channel,
    -- A property comes back as it was sent: true may be a word.
    coalesce(lower(internal_mark) = 'true', false) as is_internal,
    inserted_at as ingested_at
from described
