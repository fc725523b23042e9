-- PostHog (batch export, properties as JSON text) -> identity_links. One row per $identify that names the
-- anonymous id it replaces.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: the exported events.
source_rows as (

    select
        cast(null as string) as event,
        cast(null as string) as properties,
        cast(null as string) as distinct_id,
        cast(null as timestamp) as event_timestamp,
        cast(null as timestamp) as inserted_at
    where 1 = 0

),

identified as (

    select
        {{ json_text('properties', '$anon_distinct_id') }} as anonymous_id,
        distinct_id as user_id,
        event_timestamp,
        inserted_at
    from source_rows
    where event = '$identify'

)

select
    anonymous_id,
    user_id,
    event_timestamp as linked_at,
    inserted_at as ingested_at
from identified
where trim(anonymous_id) <> '' and trim(user_id) <> ''
