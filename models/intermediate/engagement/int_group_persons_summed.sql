{{ config(materialized='table') }}

-- What each person did in the days that groups are compared on, and whether they came back and paid.
with

first_day as (

    select {{ add_days('as_of_date', '1 - ' ~ number_var('comparison_days')) }} as first_date
    from {{ ref('int_as_of') }}

),

days as (

    select
        person_key,
        count(case when is_active then 1 end) as active_days,
        cast(sum(new_message_count) as bigint) as new_message_count,
        cast(sum(feature_used_count) as bigint) as feature_use_count
    from {{ ref('int_user_days_classified') }}
    where is_human and event_date >= (select first_date from first_day)
    group by person_key

),

sessions as (

    select
        person_key,
        cast(sum(session_ms) as bigint) as session_ms
    from {{ ref('int_sessions_aggregated_to_user_days') }}
    where session_date >= (select first_date from first_day)
    group by person_key

),

recorded as (

    select
        person_key,
        min(case when score is null then action_date end) as first_conversion_date,
        cast(sum(case when action_date >= (select first_date from first_day) then score end) as bigint)
            as score_sum,
        count(case when action_date >= (select first_date from first_day) then score end) as score_count
    from {{ ref('int_actions_recorded') }}
    where action_code in (
            {{ 101 + var('funnel_other_actions').index('subscription_started') }},
            {{ 101 + var('funnel_other_actions').index('trial_started') }},
            {{ 101 + var('funnel_other_actions').index('answer_rated') }}
        )
    group by person_key

),

returned as (

    select
        persons.person_key,
        count(spine.person_key) as return_days
    from {{ ref('int_persons_compared') }} as persons
    inner join {{ ref('int_active_days_spined') }} as spine
        on persons.person_key = spine.person_key
        and spine.activity_date = {{ add_days('persons.first_active_date', 7) }}
    group by persons.person_key

)

select
    persons.person_key,
    persons.first_active_date,
    persons.tenure_days,
    least(persons.tenure_days + 1, {{ number_var('comparison_days') }}) as eligible_days,
    coalesce(days.active_days, 0) as active_days,
    coalesce(days.new_message_count, 0) as new_message_count,
    coalesce(days.feature_use_count, 0) as feature_use_count,
    coalesce(sessions.session_ms, 0) as session_ms,
    coalesce(returned.return_days, 0) as return_days,
    recorded.first_conversion_date,
    coalesce(recorded.score_sum, 0) as score_sum,
    coalesce(recorded.score_count, 0) as score_count
from {{ ref('int_persons_compared') }} as persons
left join days on persons.person_key = days.person_key
left join sessions on persons.person_key = sessions.person_key
left join recorded on persons.person_key = recorded.person_key
left join returned on persons.person_key = returned.person_key
