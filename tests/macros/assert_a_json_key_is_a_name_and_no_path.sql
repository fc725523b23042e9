-- Producers put signs into their keys that a path would read as a step.
with

documents as (

    select
        '{"$device_id": "d1", "a.b": "whole", "a": {"b": "nested"}, "number": 7, "nothing": null}' as document

)

select document
from documents
where {{ json_text('document', '$device_id') }} is distinct from 'd1'
    or {{ json_text('document', 'a.b') }} is distinct from 'whole'
    or {{ json_text('document', 'number') }} is distinct from '7'
    or {{ json_text('document', 'nothing') }} is not null
    or {{ json_text('document', 'absent') }} is not null
