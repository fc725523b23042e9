{{ config(materialized='table') }}

-- What the person did right after an answer. An answer and the events after it meet on the day, so an answer
-- shortly before midnight looks at two days.
{%- set gap = number_var('session_gap_seconds') %}
{%- set soon = number_var('answer_reaction_seconds') %}
{%- set message = code_of('event_name', 'message_sent') %}
{%- set is_soon_here -%}
events.bot_key = looked_at.bot_key
and events.event_us <= looked_at.answered_us + {{ soon }} * cast(1000000 as bigint)
{%- endset %}
with

answers as (

    select
        answer_key,
        person_key,
        bot_key,
        feature,
        model_version,
        answered_date,
        {{ epoch_us('responded_at') }} as answered_us,
        {{ reporting_date(timestamp_from_us(epoch_us('responded_at') ~ ' + ' ~ gap ~ ' * cast(1000000 as bigint)')) }}
            as last_date
    from {{ ref('int_answers_described') }}

),

looked_at as (

    select answers.*, answered_date as event_date from answers
    union all
    select answers.*, last_date as event_date from answers
    where last_date > answered_date

),

events as (

    select
        person_key,
        event_date,
        bot_key,
        {{ epoch_us('event_at') }} as event_us,
        case
            when event_code = {{ message }} and method_code = {{ code_of('method', 'regenerate') }} then 'regenerate'
            when event_code = {{ message }} and method_code = {{ code_of('method', 'edit') }} then 'edit'
            when event_code = {{ code_of('event_name', 'conversation_reset') }} then 'reset'
        end as reaction
    from {{ ref('int_events_resolved') }}
    where event_date <= {{ as_of_date() }}

),

-- Regenerating, editing and starting over are reactions to this answer when they come soon, in its own chat.
matched as (

    select
        looked_at.answer_key,
        {%- for reaction in ['regenerate', 'edit', 'reset'] %}
        max(case when events.reaction = '{{ reaction }}' and {{ is_soon_here }} then 1 else 0 end) as {{ reaction }}s,
        {%- endfor %}
        count(*) as event_count
    from looked_at
    inner join events
        on looked_at.person_key = events.person_key
        and looked_at.event_date = events.event_date
        and looked_at.answered_us < events.event_us
        and looked_at.answered_us + {{ gap }} * cast(1000000 as bigint) >= events.event_us
    group by looked_at.answer_key

)

select
    answers.answer_key,
    answers.person_key,
    answers.feature,
    answers.model_version,
    answers.answered_date,
    answers.bot_key is not null as is_chat,
    coalesce(matched.regenerates, 0) = 1 as is_regenerated,
    coalesce(matched.edits, 0) = 1 as is_edited,
    coalesce(matched.resets, 0) = 1 as is_reset,
    matched.answer_key is null as is_abandoned
from answers
left join matched on answers.answer_key = matched.answer_key
