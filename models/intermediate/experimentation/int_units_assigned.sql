{{ config(materialized='table') }}

-- One row per unit and phase: the first variation it saw. A device is the person it became, so two devices of
-- one person that saw two variations are one unit that saw both.
with

placed as (

    select
        exposures.experiment_id,
        exposures.phase,
        exposures.unit_type,
        exposures.variation_id,
        exposures.exposed_at,
        case
            when exposures.unit_type = 'user' then coalesce(links.user_id, exposures.unit_id)
            else exposures.unit_id
        end as unit_id
    from {{ ref('int_exposures_placed') }} as exposures
    -- The condition stands inside the key: beside it, it would turn the join into a nested loop.
    left join {{ ref('int_identity_links_resolved') }} as links
        on case when exposures.unit_type = 'user' then exposures.unit_id end = links.anonymous_id
    where exposures.is_placed and {{ reporting_date('exposures.exposed_at') }} <= {{ as_of_date() }}

),

units as (

    select
        experiment_id,
        phase,
        unit_type,
        unit_id,
        {{ first_by('variation_id', ['exposed_at', 'variation_id']) }} as variation_id,
        min(exposed_at) as first_exposed_at,
        max(exposed_at) as last_exposed_at,
        count(*) as exposure_count,
        count(distinct variation_id) as variation_count
    from placed
    group by experiment_id, phase, unit_type, unit_id

)

select
    units.experiment_id,
    units.phase,
    units.unit_type,
    units.unit_id,
    {{ entity_key('units.unit_id') }} as unit_key,
    units.variation_id,
    units.first_exposed_at,
    {{ reporting_date('units.first_exposed_at') }} as exposure_date,
    units.last_exposed_at,
    units.exposure_count,
    units.variation_count,
    units.variation_count > 1 as is_multi_exposed,
    coalesce(persons.is_excluded, false) as is_excluded
from units
left join {{ ref('int_persons_described') }} as persons
    on case when units.unit_type = 'user' then units.unit_id end = persons.person_id
