{{ config(materialized='table') }}
{%- set window = number_var('attribution_window_days') %}

-- People who wrote to a bot of the workflow, or of the tag, on the days from which revenue is attributed. A day of
-- writing covers the days after it until the next one, up to the window: the running sum of what starts and ends
-- is the number of distinct people, without looking at anyone twice.
with

writers as (

    select
        person_key,
        bot_key,
        event_date
    from {{ ref('int_bot_user_days_human') }}
    where new_message_count > 0

),

segmented as (

    select distinct
        writers.person_key,
        writers.event_date,
        'workflow' as segment_dimension,
        bots.workflow as segment_value
    from writers
    inner join {{ ref('int_bots_versioned') }} as bots
        on writers.bot_key = bots.bot_key
        and writers.event_date between bots.valid_from_date and bots.valid_to_date
    union all
    select distinct
        writers.person_key,
        writers.event_date,
        'tag' as segment_dimension,
        coalesce(tags.tag, 'untagged') as segment_value
    from writers
    left join {{ ref('int_bot_tags_merged') }} as tags
        on writers.bot_key = tags.bot_key
        and writers.event_date between tags.valid_from_date and tags.valid_to_date

),

covered as (

    select
        segment_dimension,
        segment_value,
        event_date,
        least({{ window }}, coalesce({{ day_diff('event_date', 'lead(event_date) over in_order') }}, {{ window }}))
            as covered_days
    from segmented
    window in_order as (
        partition by person_key, segment_dimension, segment_value order by event_date asc nulls last
    )

),

steps as (

    select
        segment_dimension,
        segment_value,
        {{ add_days('event_date', 1) }} as activity_date,
        count(*) as step
    from covered
    group by segment_dimension, segment_value, {{ add_days('event_date', 1) }}
    union all
    select
        segment_dimension,
        segment_value,
        {{ add_days('event_date', 'covered_days + 1') }} as activity_date,
        -count(*) as step
    from covered
    group by segment_dimension, segment_value, {{ add_days('event_date', 'covered_days + 1') }}

),

spined as (

    select
        segments.segment_dimension,
        segments.segment_value,
        days.calendar_date
    from (select distinct segment_dimension, segment_value from segmented) as segments
    cross join {{ ref('int_dates_spined') }} as days

),

counted as (

    select
        spined.calendar_date as activity_date,
        spined.segment_dimension,
        spined.segment_value,
        sum(sum(coalesce(steps.step, 0))) over (
            partition by spined.segment_dimension, spined.segment_value order by spined.calendar_date asc nulls last
            rows between unbounded preceding and current row
        ) as writer_count
    from spined
    left join steps
        on spined.segment_dimension = steps.segment_dimension
        and spined.segment_value = steps.segment_value
        and spined.calendar_date = steps.activity_date
    group by spined.calendar_date, spined.segment_dimension, spined.segment_value

)

select
    activity_date,
    segment_dimension,
    segment_value,
    cast(writer_count as bigint) as writer_count
from counted
where writer_count > 0
