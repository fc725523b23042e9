-- A bot with several tags puts its people under each of them; under a workflow everybody stands once.
with

people as (

    select * from {{ ref('int_persons_acquired') }}

)

select
    person_key,
    first_active_date,
    'acquisition_workflow' as segment_dimension,
    acquisition_workflow as segment_value
from people
union all
select
    people.person_key,
    people.first_active_date,
    'acquisition_tag' as segment_dimension,
    case when people.first_bot_key is null then 'none' else coalesce(tags.tag, 'untagged') end as segment_value
from people
left join {{ ref('int_bot_tags_merged') }} as tags
    on people.first_bot_key = tags.bot_key
    and people.first_chat_date between tags.valid_from_date and tags.valid_to_date
