-- The daily sums are those of the sessions; sessions of active people are some of them, never more.
with

sessions as (

    select
        session_date,
        count(*) as session_count,
        count(distinct person_id) as session_user_count,
        sum(event_count) as event_count,
        sum(duration_seconds) as duration_seconds
    from {{ ref('fct_sessions') }}
    group by session_date

)

select
    coalesce(daily.activity_date, sessions.session_date) as activity_date,
    daily.session_count,
    sessions.session_count as counted_session_count,
    daily.session_user_count,
    sessions.session_user_count as counted_session_user_count,
    daily.event_count,
    sessions.event_count as counted_event_count,
    daily.duration_seconds,
    people.session_count as active_session_count,
    people.session_seconds as active_session_seconds
from {{ ref('agg_sessions__daily') }} as daily
full outer join sessions on daily.activity_date = sessions.session_date
left join {{ ref('agg_user_engagement__daily') }} as people on daily.activity_date = people.activity_date
where daily.activity_date is null
    or people.activity_date is null
    or daily.session_count <> coalesce(sessions.session_count, 0)
    or daily.session_user_count <> coalesce(sessions.session_user_count, 0)
    or daily.event_count <> coalesce(sessions.event_count, 0)
    or daily.duration_seconds <> coalesce(sessions.duration_seconds, 0)
    or people.session_count > daily.session_count
    or people.session_seconds > daily.duration_seconds
