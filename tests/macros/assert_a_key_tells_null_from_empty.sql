-- Null has no key of its own as an id, the empty text is a text, and in a key of several columns each keeps its place.
with

texts as (

    select cast(null as string) as missing, '' as empty, 'x' as text_x, 'y' as text_y

)

select
    {{ entity_key('text_x') }} as key_x,
    {{ combined_key(['missing', 'text_x']) }} as key_missing_x
from texts
where {{ entity_key('missing') }} is not null
    or {{ entity_key('empty') }} is null
    or {{ entity_key('text_x') }} = {{ entity_key('text_y') }}
    or {{ entity_key('text_x') }} <= 0
    or {{ combined_key(['missing', 'text_x']) }} = {{ combined_key(['text_x', 'missing']) }}
    or {{ combined_key(['missing', 'text_x']) }} = {{ combined_key(['empty', 'text_x']) }}
    or {{ combined_key(['text_x', 'text_y']) }} = {{ combined_key(['text_y', 'text_x']) }}
    or {{ row_checksum(['missing', 'text_x']) }} = {{ row_checksum(['text_x', 'missing']) }}
    or {{ row_checksum(['text_x']) }} not between 0 and 1099511627775
