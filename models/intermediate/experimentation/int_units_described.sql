{{ config(materialized='table') }}

-- What was known of a unit when it was exposed, to cut results by. Null where it does not apply to the unit.
select
    units.experiment_id,
    units.phase,
    units.unit_type,
    units.unit_id,
    units.unit_key,
    units.variation_id,
    units.exposure_date,
    case when units.unit_type = 'user' then coalesce(persons.role, 'unknown') end as role,
    case
        when units.unit_type = 'user' then coalesce(cohorts.country, persons.country, 'unknown')
    end as country,
    case
        when units.unit_type = 'user' then coalesce(cohorts.platform, persons.platform, 'unknown')
    end as platform,
    case
        when units.unit_type = 'user'
            then case when cohorts.first_active_date < units.exposure_date then 'returning' else 'new' end
    end as tenure,
    case when units.unit_type = 'bot' then coalesce(bots.workflow, 'unknown') end as workflow
from {{ ref('int_units_assigned') }} as units
left join {{ ref('int_persons_described') }} as persons
    on case when units.unit_type = 'user' then units.unit_key end = persons.person_key
left join {{ ref('int_persons_cohorted') }} as cohorts
    on case when units.unit_type = 'user' then units.unit_key end = cohorts.person_key
left join {{ ref('int_bots_versioned') }} as bots
    on case when units.unit_type = 'bot' then units.unit_key end = bots.bot_key
    and units.exposure_date between bots.valid_from_date and bots.valid_to_date
where not units.is_multi_exposed and not units.is_excluded
