-- Google Analytics 4 (BigQuery export, flattened as in the README) -> identity_links.
-- One row per device and user: the first event that carries both.
with

-- Put your table here: the flattened export, one row per event.
source_rows as (

    select
        cast(null as bigint) as event_timestamp,
        cast(null as string) as user_id,
        cast(null as string) as user_pseudo_id,
        cast(null as timestamp) as exported_at
    where 1 = 0

),

first_seen as (

    select
        user_pseudo_id as anonymous_id,
        user_id,
        min(event_timestamp) as first_timestamp,
        min(exported_at) as first_exported_at
    from source_rows
    where trim(user_id) <> '' and trim(user_pseudo_id) <> ''
    group by user_pseudo_id, user_id

)

select
    anonymous_id,
    user_id,
    {{ timestamp_from_us('first_timestamp') }} as linked_at,
    first_exported_at as ingested_at
from first_seen
