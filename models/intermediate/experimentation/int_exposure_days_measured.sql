{{ config(materialized='table') }}
{%- set unit = 'experiment_id, phase, unit_type, unit_key' -%}
with

days as (

    select
        facts.*,
        {% for name in event_names() -%}
        facts.{{ name }}_count * weights.{{ name }}_weight{{ ' + ' if not loop.last }}
        {%- endfor %} as active_event_count
    from {{ ref('int_events_aggregated_to_exposure_days') }} as facts
    cross join {{ ref('int_active_events_pivoted') }} as weights
    where facts.event_count > 0

),

parts as (

    select
        {{ unit }},
        {{ measures_from({
            'active_days': "case when (case when unit_type = 'user' then active_event_count else message_sent_count end) > 0 then 1 else 0 end",
            'messages': 'new_message_count', 'features_used': 'feature_used_count', 'follows': 'bot_follow_count',
            'images': 'image_generated_count', 'ad_impressions': 'ad_impression_count', 'engaged_ms': 'engaged_ms',
            'ad_micros': 'ad_revenue_micros', 'impressions': 'impression_count',
            'clicks': 'clicked_impression_count', 'viewers': 'viewer_count', 'chat_starters': 'chat_start_count'
        }) }}
    from days
    union all
    -- A session that was already running counts from the exposure on.
    select
        units.experiment_id,
        units.phase,
        units.unit_type,
        units.unit_key,
        {{ measures_from({
            'sessions': '1',
            'session_ms': 'least(sessions.duration_ms, floor((' ~ epoch_us('sessions.ended_at') ~ ' - '
                ~ epoch_us('greatest(sessions.started_at, units.first_exposed_at)') ~ ') / 1000))'
        }) }}
    from {{ ref('int_units_assigned') }} as units
    inner join {{ ref('int_sessions_stitched') }} as sessions
        on case when units.unit_type = 'user' then units.unit_key end = sessions.person_key
        and units.exposure_date = sessions.session_date
        and units.first_exposed_at <= sessions.ended_at
    where not units.is_multi_exposed and not units.is_excluded

)

select
    {{ unit }},
    {{ each_measure('cast(sum(#) as bigint) as #') }}
from parts
group by {{ unit }}
