{{ config(materialized='table') }}

-- People who wrote to a bot of the workflow, or of the tag, on the day: the people its revenue is set against.
with

writers as (

    select
        person_key,
        bot_key,
        event_date
    from {{ ref('int_bot_user_days_human') }}
    where new_message_count > 0

)

select
    writers.event_date as activity_date,
    'workflow' as segment_dimension,
    bots.workflow as segment_value,
    count(distinct writers.person_key) as writer_count
from writers
inner join {{ ref('int_bots_versioned') }} as bots
    on writers.bot_key = bots.bot_key
    and writers.event_date between bots.valid_from_date and bots.valid_to_date
group by writers.event_date, bots.workflow
union all
select
    writers.event_date as activity_date,
    'tag' as segment_dimension,
    coalesce(tags.tag, 'none') as segment_value,
    count(distinct writers.person_key) as writer_count
from writers
left join {{ ref('int_bot_tags_merged') }} as tags
    on writers.bot_key = tags.bot_key
    and writers.event_date between tags.valid_from_date and tags.valid_to_date
group by writers.event_date, coalesce(tags.tag, 'none')
