{%- set measures = ['event_count', 'feature_count', 'engaged_seconds', 'duration_seconds'] -%}
with

counted as (

    select
        session_date,
        count(*) as session_count,
        count(distinct person_id) as session_user_count,
        count(case when is_bounce then 1 end) as bounce_count,
        {%- for measure in measures %}
        {%- set type = 'bigint' if measure.endswith('_count') else 'decimal(18, 3)' %}
        cast(sum({{ measure }}) as {{ type }}) as {{ measure }},
        {%- for place in ['50', '90'] %}
        percentile_cont(0.{{ place[0] }}) within group (order by cast({{ measure }} as double))
            as {{ measure }}_p{{ place }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
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
    {%- for measure in measures %}
    {%- set stem = measure | replace('_count', 's') %}
    {%- set zero = '0' if measure.endswith('_count') else 'cast(0 as decimal(18, 3))' %}
    coalesce(counted.{{ measure }}, {{ zero }}) as {{ measure }},
    {{ safe_divide('counted.' ~ measure, 'counted.session_count') }} as {{ stem }}_per_session,
    counted.{{ measure }}_p50 as {{ stem }}_per_session_p50,
    counted.{{ measure }}_p90 as {{ stem }}_per_session_p90,
    {%- endfor %}

    {{ is_final('calendar.calendar_date') }} as is_final
from {{ ref('int_dates_spined') }} as calendar
left join counted on calendar.calendar_date = counted.session_date
