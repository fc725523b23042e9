-- Two rows that differ have two texts: null apart from empty, a separator in a value apart from a separator.
with

links as (

    select 1 as row_number, 'a' as anonymous_id, 'b' as user_id, cast('2026-01-01 00:00:00' as timestamp) as linked_at
    union all
    select 2, 'a|=b', '', cast('2026-01-01 00:00:00' as timestamp)
    union all
    select 3, 'a', cast(null as string), cast('2026-01-01 00:00:00' as timestamp)
    union all
    select 4, 'a', '~', cast('2026-01-01 00:00:00' as timestamp)
    union all
    select 5, 'a', '', cast('2026-01-01 00:00:00' as timestamp)
    union all
    select 6, 'a|', '=b', cast('2026-01-01 00:00:00' as timestamp)
    union all
    select 7, 'a', 'b', cast('2026-01-01 00:00:00.000001' as timestamp)

)

select
    {{ row_text('identity_links') }} as row_text,
    count(*) as row_count
from links
group by {{ row_text('identity_links') }}
having count(*) > 1
