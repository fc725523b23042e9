{{ config(materialized='table') }}
{%- set window = number_var('trailing_window_days') | int -%}
{%- set before_window = add_days(as_of_date(), -window) -%}
with

persons as (

    select * from {{ ref('int_persons_cohorted') }}

),

days as (

    select
        person_key,
        count(case when event_date > {{ before_window }} then 1 end) as active_days,
        cast(sum(case when event_date > {{ before_window }} then new_message_count else 0 end) as bigint)
            as new_message_count,
        cast(sum(case when event_date > {{ before_window }} then feature_used_count else 0 end) as bigint)
            as feature_use_count,
        max(case when event_date <= {{ before_window }} then event_date end) as left_date,
        min(case when event_date > {{ before_window }} then event_date end) as returned_date
    from {{ ref('int_user_days_classified') }}
    where is_active and is_human
    group by person_key

),

sessions as (

    select
        person_key,
        cast(sum(session_count) as bigint) as session_count,
        cast(sum(session_ms) as bigint) as session_ms
    from {{ ref('int_sessions_aggregated_to_user_days') }}
    where session_date > {{ before_window }}
    group by person_key

)

select
    persons.person_key,
    persons.first_active_date,
    persons.last_active_date,
    cast({{ day_diff('persons.first_active_date', as_of_date()) }} as bigint) as age_days,
    cast({{ day_diff('persons.last_active_date', as_of_date()) }} as bigint) as recency_days,
    days.active_days,
    days.new_message_count,
    days.feature_use_count,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(sessions.session_ms, 0) as session_ms,
    coalesce(cast({{ day_diff('days.left_date', 'days.returned_date') }} as bigint), 0) as gap_days
from persons
inner join days on persons.person_key = days.person_key
left join sessions on persons.person_key = sessions.person_key
