{{ config(materialized='table') }}

select
    person_key,
    session_date,
    count(*) as session_count,
    cast(sum(duration_ms) as bigint) as session_ms,
    cast(sum(event_count) as bigint) as event_count,
    cast(sum(engaged_ms) as bigint) as engaged_ms
from {{ ref('int_sessions_stitched') }}
group by person_key, session_date
