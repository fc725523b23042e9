{{ config(materialized='table') }}
{%- set terms = ['y', 'd', 'yy', 'yd', 'dd', 'yyy'] -%}
-- Units that two experiments share, by what both did to them: sums of the primary metric of the first. Each pair
-- stands here twice, once from either side.
with

units as (

    select
        experiment_id,
        phase,
        unit_type,
        unit_key,
        variation_id
    from {{ ref('int_units_assigned') }}
    where not is_multi_exposed and not is_excluded

),

goals as (

    select
        experiment_id,
        phase,
        metric
    from {{ ref('int_experiment_metrics_assigned') }}
    where is_primary and kind <> 'quantile'

)

select
    units.experiment_id,
    units.phase,
    units.variation_id,
    other_units.experiment_id as other_experiment_id,
    other_units.phase as other_phase,
    other_units.variation_id as other_variation_id,
    centred.metric,
    {%- for term in terms %}
    cast(sum(centred.{{ term }}) as decimal(38, 0)) as sum_{{ term }},
    {%- endfor %}
    count(*) as unit_count
from units
inner join units as other_units
    on units.unit_type = other_units.unit_type
    and units.unit_key = other_units.unit_key
    and units.experiment_id <> other_units.experiment_id
inner join goals on units.experiment_id = goals.experiment_id and units.phase = goals.phase
inner join {{ ref('int_units_centred') }} as centred
    on goals.experiment_id = centred.experiment_id
    and goals.phase = centred.phase
    and goals.metric = centred.metric
    and units.unit_key = centred.unit_key
    and centred.matured_date <= {{ as_of_date() }}
group by
    units.experiment_id, units.phase, units.variation_id, other_units.experiment_id, other_units.phase,
    other_units.variation_id, centred.metric
