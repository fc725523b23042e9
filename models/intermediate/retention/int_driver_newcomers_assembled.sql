{{ config(materialized='table') }}
{%- set window = number_var('driver_window_days') | int %}
{%- set horizon = number_var('churn_days') | int %}
{%- set first_codes = [
    101 + var('funnel_other_actions').index('subscription_started'),
    101 + var('funnel_other_actions').index('trial_started'),
] %}
{%- set rated = 101 + var('funnel_other_actions').index('answer_rated') %}
with

people as (

    select * from {{ ref('int_driver_newcomer_days_counted') }}

),

sessions as (

    select
        people.person_key,
        sum(days.session_count) as session_count
    from people
    inner join {{ ref('int_sessions_aggregated_to_user_days') }} as days
        on people.person_key = days.person_key
        and people.first_active_date <= days.session_date
        and {{ add_days('people.first_active_date', window) }} > days.session_date
    group by people.person_key

),

bots as (

    select
        people.person_key,
        count(distinct case when days.new_message_count > 0 then days.bot_key end) as chatted_bot_count,
        count(distinct case when days.view_count > 0 then days.bot_key end) as viewed_bot_count
    from people
    inner join {{ ref('int_bot_user_days_human') }} as days
        on people.person_key = days.person_key
        and people.first_active_date <= days.event_date
        and {{ add_days('people.first_active_date', window) }} > days.event_date
    group by people.person_key

),

actions as (

    select
        people.person_key,
        count(case when actions.action_code = {{ rated }} then 1 end) as rating_count,
        sum(case when actions.action_code = {{ rated }} then actions.score end) as rating_score_sum
    from people
    inner join {{ ref('int_actions_recorded') }} as actions
        on people.person_key = actions.person_key
        and people.first_active_date <= actions.action_date
        and {{ add_days('people.first_active_date', window) }} > actions.action_date
    group by people.person_key

),

-- A subscription or trial of whom it is the first; earlier than the first active day is no conversion of theirs.
conversions as (

    select
        person_key,
        min(action_date) as converted_date
    from {{ ref('int_actions_recorded') }}
    where action_code in ({{ first_codes | join(', ') }})
    group by person_key

)

select
    described.person_id,
    people.first_active_date,
    people.is_active_on_day_7,
    people.is_active_on_last_day,
    {{ safe_divide('people.later_engaged_ms', '60000') }} as later_engaged_minutes,
    case
        when
            people.is_watched
            and coalesce(conversions.converted_date >= {{ add_days('people.first_active_date', window) }}, true)
            then coalesce(conversions.converted_date <= {{ add_days('people.first_active_date', horizon) }}, false)
    end as is_converted,

    people.active_days,
    people.idle_visit_days,
    {{ safe_divide('people.weekend_active_days', 'people.active_days') }} as weekend_share,
    {{ safe_divide('people.new_message_count', 'people.active_days') }} as messages_per_active_day,
    {{ safe_divide('people.regenerate_message_count', 'people.message_sent_count') }} as regenerate_share,
    {{ safe_divide('people.edit_message_count', 'people.message_sent_count') }} as edit_share,
    {{ safe_divide('people.continue_message_count', 'people.message_sent_count') }} as continue_share,
    {{ safe_divide('people.feature_used_count', 'people.active_days') }} as feature_uses_per_active_day,
    people.feature_kind_count,
    {{ safe_divide('people.engaged_ms', 'people.active_days * 60000') }} as engaged_minutes_per_active_day,
    {{ safe_divide('coalesce(sessions.session_count, 0)', 'people.active_days') }} as sessions_per_active_day,
    {{ safe_divide('coalesce(bots.chatted_bot_count, 0)', 'people.active_days') }} as chatted_bots_per_active_day,
    {{ safe_divide('coalesce(bots.viewed_bot_count, 0)', 'people.active_days') }} as viewed_bots_per_active_day,
    {{ safe_divide('people.bot_follow_count', 'people.active_days') }} as follows_per_active_day,
    {{ safe_divide('people.image_generated_count', 'people.active_days') }} as images_per_active_day,
    {{ safe_divide('people.conversation_reset_count', 'people.active_days') }} as resets_per_active_day,
    {{ safe_divide('people.ad_impression_count', 'people.active_days') }} as ads_per_active_day,
    {{ safe_divide('coalesce(actions.rating_count, 0)', 'people.active_days') }} as ratings_per_active_day,
    {{ safe_divide('actions.rating_score_sum', 'actions.rating_count') }} as mean_rating,
    persons.role,
    persons.country,
    persons.platform,
    persons.acquisition_channel
from people
inner join {{ ref('int_persons_cohorted') }} as persons on people.person_key = persons.person_key
inner join {{ ref('int_persons_described') }} as described on people.person_key = described.person_key
left join sessions on people.person_key = sessions.person_key
left join bots on people.person_key = bots.person_key
left join actions on people.person_key = actions.person_key
left join conversions on people.person_key = conversions.person_key
