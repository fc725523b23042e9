{{ config(materialized='table') }}
{%- set message = code_of('event_name', 'message_sent') -%}
{%- set view = code_of('event_name', 'bot_view') -%}
{%- set unit = 'experiment_id, phase, unit_type, unit_key' -%}
{%- set counted = {
    'features_used': 'feature_used', 'follows': 'bot_follow', 'images': 'image_generated',
    'ad_impressions': 'ad_impression', 'impressions': 'bot_impression'
} -%}
with

events as (

    select
        seen.*,
        case seen.event_code
            {%- for name in event_names() %}
            when {{ code_of('event_name', name) }} then weights.{{ name }}_weight
            {%- endfor %}
            else 0
        end as weight
    from {{ ref('int_exposure_day_events_matched') }} as seen
    cross join {{ ref('int_active_events_pivoted') }} as weights

),

pairs as (

    select
        {{ unit }},
        person_key,
        bot_key,
        event_date,
        first_exposed_at,
        sum(weight) as active_event_count,
        count(case when event_code = {{ message }} then 1 end) as message_sent_count,
        count(case
            when event_code = {{ message }} and method_code is distinct from {{ code_of('method', 'regenerate') }}
                then 1
        end) as messages,
        {%- for measure, name in counted.items() %}
        count(case when event_code = {{ code_of('event_name', name) }} then 1 end) as {{ measure }},
        {%- endfor %}
        min(case when event_code = {{ view }} then event_at end) as first_viewed_at,
        max(case when event_code = {{ message }} then event_at end) as last_message_at,
        sum(coalesce(engaged_ms, 0)) as engaged_ms,
        sum(coalesce(revenue_micros, 0)) as ad_micros
    from events
    group by {{ unit }}, person_key, bot_key, event_date, first_exposed_at

),

-- A clicked impression after the exposure is an event of its pair, so no pair is missed here.
clicked as (

    select
        pairs.experiment_id,
        pairs.phase,
        pairs.unit_type,
        pairs.unit_key,
        count(*) as clicks
    from pairs
    inner join {{ ref('int_views_matched') }} as clicks
        on pairs.person_key = clicks.person_key
        and pairs.bot_key = clicks.bot_key
        and pairs.event_date = clicks.impression_date
        and pairs.first_exposed_at <= clicks.impression_at
    group by pairs.experiment_id, pairs.phase, pairs.unit_type, pairs.unit_key

),

parts as (

    select
        {{ unit }},
        {{ measures_from({
            'active_days': "case when (case when unit_type = 'user' then sum(active_event_count) else sum(message_sent_count) end) > 0 then 1 else 0 end",
            'messages': 'sum(messages)', 'features_used': 'sum(features_used)', 'follows': 'sum(follows)',
            'images': 'sum(images)', 'ad_impressions': 'sum(ad_impressions)', 'engaged_ms': 'sum(engaged_ms)',
            'ad_micros': 'sum(ad_micros)',
            'impressions': 'sum(case when bot_key is not null then impressions else 0 end)',
            'viewers': 'count(case when bot_key is not null then first_viewed_at end)',
            'chat_starters': 'count(case when bot_key is not null and last_message_at >= first_viewed_at then 1 end)'
        }) }}
    from pairs
    group by {{ unit }}
    union all
    select
        {{ unit }},
        {{ measures_from({'clicks': 'clicks'}) }}
    from clicked
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
