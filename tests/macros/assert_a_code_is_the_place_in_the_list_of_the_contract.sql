-- The facts are read by code, so a name and its code must meet; an unknown name is 0 and none is null.
with

names as (

    select 'message_sent' as event_name, {{ code_of('event_name', 'message_sent') }} as code
    union all
    select 'bot_view', {{ code_of('event_name', 'bot_view') }}
    union all
    select 'never heard of', 0
    union all
    select cast(null as string), null

)

select
    event_name,
    code,
    {{ known_code('events', 'event_name') }} as found_code
from names
where {{ known_code('events', 'event_name') }} is distinct from code
