{%- set owners = {
    'of_people': ['units', "case when units.unit_type = 'user' then units.unit_key end = events.person_key"],
    'of_bots': ['unit_bots', 'unit_bots.bot_key = events.bot_key']
} -%}
-- Events of the day of exposure, from the exposure on: what happened earlier that day is no outcome.
with

units as (

    select * from {{ ref('int_units_assigned') }}
    where not is_multi_exposed and not is_excluded

),

unit_bots as (

    select
        units.experiment_id,
        units.phase,
        units.unit_type,
        units.unit_key,
        units.exposure_date,
        units.first_exposed_at,
        bots.bot_key
    from units
    inner join {{ ref('int_unit_bots_listed') }} as bots
        on units.unit_type = bots.unit_type
        and units.unit_key = bots.unit_key
        and units.exposure_date between bots.valid_from_date and bots.valid_to_date

),

seen as (

    {% for owner, (source, key) in owners.items() -%}
    select
        {{ source }}.experiment_id,
        {{ source }}.phase,
        {{ source }}.unit_type,
        {{ source }}.unit_key,
        {{ source }}.first_exposed_at,
        events.person_key,
        events.bot_key,
        events.event_date,
        events.event_at,
        events.event_code,
        events.method_code,
        events.engaged_ms,
        events.revenue_micros
    from {{ source }}
    inner join {{ ref('int_events_resolved') }} as events
        on {{ key }}
        and {{ source }}.exposure_date = events.event_date
        and {{ source }}.first_exposed_at <= events.event_at
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}

)

select
    seen.experiment_id,
    seen.phase,
    seen.unit_type,
    seen.unit_key,
    seen.first_exposed_at,
    seen.person_key,
    seen.bot_key,
    seen.event_date,
    seen.event_at,
    seen.event_code,
    seen.method_code,
    seen.engaged_ms,
    seen.revenue_micros
from seen
left join {{ ref('int_user_days_excluded') }} as not_counted
    on seen.person_key = not_counted.person_key and seen.event_date = not_counted.event_date
where not_counted.person_key is null
