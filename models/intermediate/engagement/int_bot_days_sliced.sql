{{ config(materialized='table') }}

-- A bot stands in one slice of each dimension, and in as many slices of tags as it had tags on that day.
with

bot_days as (

    select
        bot_key,
        event_date
    from {{ ref('int_bot_user_days_aggregated_to_bot_days') }}

),

described as (

    select
        bot_days.bot_key,
        bot_days.event_date,
        bots.workflow,
        case
            when bots.is_ai_generated then 'ai_generated'
            when not bots.is_ai_generated then 'human_made'
            else 'unknown'
        end as bot_type,
        bots.model_version
    from bot_days
    inner join {{ ref('int_bots_versioned') }} as bots
        on bot_days.bot_key = bots.bot_key
        and bot_days.event_date between bots.valid_from_date and bots.valid_to_date

),

sliced as (

    {% for dimension in ['workflow', 'bot_type', 'model_version'] -%}
    select bot_key, event_date, '{{ dimension }}' as slice_dimension, {{ dimension }} as slice_value
    from described
    union all
    {% endfor -%}
    select
        bot_days.bot_key,
        bot_days.event_date,
        'tag' as slice_dimension,
        coalesce(tags.tag, 'untagged') as slice_value
    from bot_days
    left join {{ ref('int_bot_tags_merged') }} as tags
        on bot_days.bot_key = tags.bot_key
        and bot_days.event_date between tags.valid_from_date and tags.valid_to_date

),

-- A short number of a slice: people are told apart by it faster than by two texts.
slices as (

    select
        slice_dimension,
        slice_value,
        row_number() over (order by slice_dimension asc nulls last, slice_value asc nulls last) as slice_number
    from sliced
    group by slice_dimension, slice_value

)

select
    sliced.bot_key,
    sliced.event_date,
    sliced.slice_dimension,
    sliced.slice_value,
    cast(slices.slice_number as integer) as slice_number
from sliced
inner join slices
    on sliced.slice_dimension = slices.slice_dimension and sliced.slice_value = slices.slice_value
