-- Segment (warehouse schema) -> identity_links. One row per identify call that knows both ids.
with

-- Put your table here: select ..., timestamp as event_timestamp from <schema>.identifies.
source_identifies as (

    select
        cast(null as timestamp) as received_at,
        cast(null as timestamp) as event_timestamp,
        cast(null as string) as anonymous_id,
        cast(null as string) as user_id
    where 1 = 0

)

select
    anonymous_id,
    user_id,
    event_timestamp as linked_at,
    received_at as ingested_at
from source_identifies
where trim(anonymous_id) <> '' and trim(user_id) <> ''
