{{ config(materialized='table') }}

-- All that the facts of a day of exposure are made of: the events of the day and its neighbours, who was
-- exposed that day and when, with which bots, and, where anybody's events count, who does not.
with

units as (

    select
        experiment_id,
        phase,
        unit_type,
        unit_key,
        event_date,
        sum({{ row_checksum([
            'experiment_id', 'phase', 'unit_type', 'unit_key', 'bot_key', 'first_exposed_at',
        ]) }}) as owner_checksum
    from {{ ref('int_exposure_owners_listed') }}
    group by experiment_id, phase, unit_type, unit_key, event_date

),

exposed as (

    select
        event_date,
        count(*) as unit_count,
        count(case when unit_type <> 'user' then 1 end) as group_count,
        sum(owner_checksum) as owner_checksum
    from units
    group by event_date

),

not_counted as (

    select
        event_date,
        sum({{ row_checksum(['person_key']) }}) as person_checksum
    from {{ ref('int_user_days_excluded') }}
    group by event_date

)

select
    exposed.event_date,
    exposed.unit_count,
    cast(
        days.neighbourhood_checksum
        + exposed.owner_checksum
        + case when exposed.group_count > 0 then coalesce(not_counted.person_checksum, 0) else 0 end
        as decimal(38, 0)
    ) as exposure_checksum
from exposed
inner join {{ ref('int_event_days_fingerprinted') }} as days on exposed.event_date = days.event_date
left join not_counted on exposed.event_date = not_counted.event_date
