{#- Action, events, people who did it: columns of int_user_days_aggregated_to_days. -#}
{%- set actions = [
    ('generate', 'generate_message_count', 'generate_message_user_count'),
    ('continue', 'continue_message_count', 'continue_message_user_count'),
    ('edit', 'edit_message_count', 'edit_message_user_count'),
    ('regenerate', 'regenerate_message_count', 'regenerate_message_user_count'),
    ('reset', 'conversation_reset_count', 'conversation_reset_user_count'),
    ('follow', 'bot_follow_count', 'bot_follow_user_count'),
    ('image', 'image_generated_count', 'image_generated_user_count'),
    ('feature', 'feature_used_count', 'feature_used_user_count'),
] -%}
with

calendar as (

    select calendar_date from {{ ref('int_dates_spined') }}

),

days as (

    select * from {{ ref('int_user_days_aggregated_to_days') }}

),

actions as (

    {% for action, events, doers in actions -%}
    select
        calendar.calendar_date as activity_date,
        '{{ action }}' as action_name,
        coalesce(days.active_user_count, 0) as active_user_count,
        coalesce(days.{{ doers }}, 0) as doer_count,
        coalesce(days.{{ events }}, 0) as event_count
    from calendar
    left join days on calendar.calendar_date = days.event_date
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    activity_date,
    action_name,

    active_user_count,
    doer_count,
    event_count,
    {{ safe_divide('doer_count', 'active_user_count') }} as adoption_rate,
    {{ safe_divide('event_count', 'active_user_count') }} as events_per_active_user,
    {{ safe_divide('event_count', 'doer_count') }} as events_per_doer,

    {{ is_final('activity_date') }} as is_final
from actions
