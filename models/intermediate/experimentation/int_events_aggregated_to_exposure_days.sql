{{ config(
    materialized='incremental', unique_key='event_date',
    pre_hook="{{ drop_vanished_event_days('int_exposure_days_fingerprinted') }}"
) }}
{%- set prints = 'int_exposure_days_fingerprinted' -%}
{%- set touched = touched_event_days('unit_count', 'count(*)', 'exposure_checksum', prints) -%}
{%- set impression = code_of('event_name', 'bot_impression') -%}
{%- set regenerate = code_of('method', 'regenerate') -%}
{%- set view = code_of('event_name', 'bot_view') -%}
{%- set message = code_of('event_name', 'message_sent') -%}
{%- set break = ',\n        ' -%}
{%- set unit = ['experiment_id', 'phase', 'unit_type', 'unit_key'] -%}
{%- set pair -%}
owners.{{ unit | join(break ~ 'owners.') }}, owners.first_exposed_at,
        events.person_key, events.bot_key, events.event_date
{%- endset -%}
{%- set counted = ['event_count', 'new_message_count', 'impression_count', 'engaged_ms', 'ad_revenue_micros'] -%}
{%- for name in event_names() %}{% do counted.append(name ~ '_count') %}{% endfor -%}
-- What happened on the day of exposure from the exposure on; what came earlier that day is no outcome. A unit
-- without any event has a row of zeros: so many rows as there are units, and a day is known to be built.
with

owners as (

    select * from {{ ref('int_exposure_owners_listed') }}
    where {{ on_days('event_date', touched) }}

),

pairs as (

    {% for owner in ['person_key', 'bot_key'] -%}
    select
        {{ pair }},
        count(*) as event_count,
        {%- for name in event_names() %}
        count(case when events.event_code = {{ code_of('event_name', name) }} then 1 end) as {{ name }}_count,
        {%- endfor %}
        count(case
            when events.event_code = {{ message }} and events.method_code is distinct from {{ regenerate }} then 1
        end) as new_message_count,
        count(case when events.event_code = {{ impression }} then events.bot_key end) as impression_count,
        min(case when events.event_code = {{ view }} and events.bot_key is not null then events.event_at end)
            as first_viewed_at,
        max(case when events.event_code = {{ message }} then events.event_at end) as last_message_at,
        sum(coalesce(events.engaged_ms, 0)) as engaged_ms,
        sum(coalesce(events.revenue_micros, 0)) as ad_revenue_micros
    from owners
    inner join {{ ref('int_events_resolved') }} as events
        on owners.{{ owner }} = events.{{ owner }}
        and owners.event_date = events.event_date
        and owners.first_exposed_at <= events.event_at
    where {{ on_days('events.event_date', touched) }}
    group by
        {{ pair }}
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}

),

human_pairs as (

    select pairs.*
    from pairs
    left join {{ ref('int_user_days_excluded') }} as not_counted
        on pairs.person_key = not_counted.person_key and pairs.event_date = not_counted.event_date
    where not_counted.person_key is null

),

-- A clicked impression after the exposure is an event of its pair, so no pair is missed here.
clicked as (

    select
        pairs.{{ unit | join(', pairs.') }},
        count(*) as clicked_impression_count
    from human_pairs as pairs
    inner join {{ ref('int_views_matched') }} as clicks
        on pairs.person_key = clicks.person_key
        and pairs.bot_key = clicks.bot_key
        and pairs.event_date = clicks.impression_date
        and pairs.first_exposed_at <= clicks.impression_at
    where {{ on_days('clicks.impression_date', touched) }}
        and {{ on_days('clicks.event_date', around_days(touched)) }}
    group by pairs.{{ unit | join(', pairs.') }}

),

parts as (

    select
        {{ unit | join(', ') }}, event_date,
        {{ counted | join(break) }},
        case when first_viewed_at is not null then 1 else 0 end as viewer_count,
        case when last_message_at >= first_viewed_at then 1 else 0 end as chat_start_count
    from human_pairs
    union all
    select distinct
        {{ unit | join(', ') }}, event_date,
        0 as {{ counted | join(break ~ '0 as ') }},
        0 as viewer_count, 0 as chat_start_count
    from owners

)

select
    parts.{{ unit | join(',\n    parts.') }},
    {%- for column in counted + ['viewer_count', 'chat_start_count'] %}
    cast(sum(parts.{{ column }}) as bigint) as {{ column }},
    {%- endfor %}
    coalesce(max(clicked.clicked_impression_count), 0) as clicked_impression_count,
    days.exposure_checksum as day_checksum,
    parts.event_date
from parts
left join clicked
    on parts.experiment_id = clicked.experiment_id and parts.phase = clicked.phase
    and parts.unit_type = clicked.unit_type and parts.unit_key = clicked.unit_key
inner join {{ ref('int_exposure_days_fingerprinted') }} as days on parts.event_date = days.event_date
group by parts.{{ unit | join(', parts.') }}, days.exposure_checksum, parts.event_date
