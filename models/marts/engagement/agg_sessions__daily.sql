{%- set measures = [
    ('event_count', 'events_per_session'),
    ('feature_count', 'features_per_session'),
    ('engaged_seconds', 'engaged_seconds_per_session'),
    ('duration_seconds', 'duration_seconds_per_session'),
] -%}
with

counted as (

    select
        session_date,
        count(*) as session_count,
        count(distinct person_id) as session_user_count,
        count(case when is_bounce then 1 end) as bounce_count,
        {%- for measure, name in measures %}
        percentile_cont(0.5) within group (order by cast({{ measure }} as double)) as {{ name }}_p50,
        percentile_cont(0.9) within group (order by cast({{ measure }} as double)) as {{ name }}_p90,
        {%- endfor %}
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(feature_count) as bigint) as feature_count,
        cast(sum(engaged_seconds) as decimal(18, 3)) as engaged_seconds,
        cast(sum(duration_seconds) as decimal(18, 3)) as duration_seconds
    from {{ ref('fct_sessions') }}
    group by session_date

)

select
    calendar.calendar_date as activity_date,

    coalesce(counted.session_count, 0) as session_count,
    coalesce(counted.session_user_count, 0) as session_user_count,
    {{ safe_divide('counted.session_count', 'counted.session_user_count') }} as sessions_per_user,
    coalesce(counted.bounce_count, 0) as bounce_count,
    {{ safe_divide('counted.bounce_count', 'counted.session_count') }} as bounce_rate,
    coalesce(counted.event_count, 0) as event_count,
    coalesce(counted.feature_count, 0) as feature_count,
    coalesce(counted.engaged_seconds, cast(0 as decimal(18, 3))) as engaged_seconds,
    coalesce(counted.duration_seconds, cast(0 as decimal(18, 3))) as duration_seconds,
    {%- for measure, name in measures %}
    {{ safe_divide('counted.' ~ measure, 'counted.session_count') }} as {{ name }},
    counted.{{ name }}_p50,
    counted.{{ name }}_p90,
    {%- endfor %}

    {{ is_final('calendar.calendar_date') }} as is_final
from {{ ref('int_dates_spined') }} as calendar
left join counted on calendar.calendar_date = counted.session_date
