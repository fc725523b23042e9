{{ config(materialized='table') }}

-- The same sums under what one unit may have several of, or only some have: tags, triggers, strata.
with

listed as (

    select * from {{ ref('int_unit_segments_listed') }}
    where segment_key in ('tag', 'trigger', 'stratum', 'half')

)

select
    units.experiment_id,
    units.phase,
    units.variation_id,
    units.metric,
    units.cohort_date as matured_date,
    listed.segment_key,
    listed.segment_value,
    count(*) as unit_count,
    count(case when units.numerator_value <> 0 then 1 end) as nonzero_count,
    cast(sum(units.before_flag) as bigint) as before_count,
    {%- for term in statistic_terms() %}
    cast(sum(units.{{ term }}) as decimal(38, 0)) as sum_{{ term }},
    {%- endfor %}
    max(units.numerator_value) as max_value
from {{ ref('int_units_centred') }} as units
inner join listed
    on units.experiment_id = listed.experiment_id
    and units.phase = listed.phase
    and units.unit_key = listed.unit_key
group by
    units.experiment_id, units.phase, units.variation_id, units.metric, units.cohort_date, listed.segment_key,
    listed.segment_value
