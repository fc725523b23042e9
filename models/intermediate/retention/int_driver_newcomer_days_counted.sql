{{ config(materialized='table') }}
{%- set window = number_var('driver_window_days') | int %}
{%- set horizon = number_var('churn_days') | int %}
{%- set begun = "age_days < " ~ window %}
{%- set names = [
    'new_message', 'message_sent', 'regenerate_message', 'edit_message', 'continue_message', 'feature_used',
    'bot_follow', 'image_generated', 'conversation_reset', 'ad_impression',
] %}

-- What newcomers did on their first days, and what became of them on days after these. An outcome whose days are not
-- over is null.
with

aged as (

    select
        days.*,
        persons.first_active_date,
        {{ day_diff('persons.first_active_date', 'days.event_date') }} as age_days,
        {{ day_diff('persons.first_active_date', as_of_date()) }} as watched_days
    from {{ ref('int_user_days_classified') }} as days
    inner join {{ ref('int_persons_cohorted') }} as persons
        on days.person_key = persons.person_key and days.event_date >= persons.first_active_date
    where days.is_human

),

counted as (

    select
        person_key,
        first_active_date,
        watched_days,
        count(case when is_active and {{ begun }} then 1 end) as active_days,
        count(case when not is_active and {{ begun }} then 1 end) as idle_visit_days,
        count(case when is_active and {{ begun }} and {{ iso_day_of_week('event_date') }} >= 6 then 1 end)
            as weekend_active_days,
        {%- for name in names %}
        sum(case when {{ begun }} then {{ name }}_count else 0 end) as {{ name }}_count,
        {%- endfor %}
        {%- for feature in event_features() %}
        max(case when {{ begun }} and {{ feature }}_use_count > 0 then 1 else 0 end){{ ' +' if not loop.last }}
        {%- endfor %} as feature_kind_count,
        sum(case when {{ begun }} then coalesce(engaged_ms, 0) else 0 end) as engaged_ms,
        max(case when is_active and age_days = 7 then 1 else 0 end) = 1 as is_active_on_day_7,
        max(case when is_active and age_days = {{ horizon }} then 1 else 0 end) = 1 as is_active_on_last_day,
        sum(case when age_days between {{ window }} and {{ horizon }} then coalesce(engaged_ms, 0) else 0 end)
            as later_engaged_ms
    from aged
    group by person_key, first_active_date, watched_days

)

select
    person_key,
    first_active_date,
    active_days,
    idle_visit_days,
    weekend_active_days,
    {%- for name in names %}
    cast({{ name }}_count as bigint) as {{ name }}_count,
    {%- endfor %}
    cast(feature_kind_count as bigint) as feature_kind_count,
    cast(engaged_ms as bigint) as engaged_ms,
    watched_days >= {{ horizon }} as is_watched,
    case when watched_days >= 7 then is_active_on_day_7 end as is_active_on_day_7,
    case when watched_days >= {{ horizon }} then is_active_on_last_day end as is_active_on_last_day,
    case when watched_days >= {{ horizon }} then cast(later_engaged_ms as bigint) end as later_engaged_ms
from counted
