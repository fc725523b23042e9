-- Whose events of the day of exposure are outcomes of a unit: a person's own, a bot's, or those with all bots a
-- creator had that day. A unit that does not count, or not on that day, owns none.
with

units as (

    select * from {{ ref('int_units_assigned') }}
    where not is_multi_exposed and not is_excluded

)

select
    units.experiment_id,
    units.phase,
    units.unit_type,
    units.unit_key,
    units.unit_key as person_key,
    cast(null as bigint) as bot_key,
    units.first_exposed_at,
    units.exposure_date as event_date
from units
left join {{ ref('int_user_days_excluded') }} as not_counted
    on units.unit_key = not_counted.person_key and units.exposure_date = not_counted.event_date
where units.unit_type = 'user' and not_counted.person_key is null
union all
select
    units.experiment_id,
    units.phase,
    units.unit_type,
    units.unit_key,
    cast(null as bigint) as person_key,
    bots.bot_key,
    units.first_exposed_at,
    units.exposure_date as event_date
from units
inner join {{ ref('int_unit_bots_listed') }} as bots
    on units.unit_type = bots.unit_type
    and units.unit_key = bots.unit_key
    and units.exposure_date between bots.valid_from_date and bots.valid_to_date
