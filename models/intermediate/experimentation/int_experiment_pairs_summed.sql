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
    others.experiment_id as other_experiment_id,
    others.phase as other_phase,
    others.variation_id as other_variation_id,
    values_of.metric,
    count(*) as unit_count,
    {%- for term in terms %}
    cast(sum(values_of.{{ term }}) as decimal(38, 0)) as sum_{{ term }}{{ ',' if not loop.last }}
    {%- endfor %}
from units
inner join units as others
    on units.unit_type = others.unit_type
    and units.unit_key = others.unit_key
    and units.experiment_id <> others.experiment_id
inner join goals on units.experiment_id = goals.experiment_id and units.phase = goals.phase
inner join {{ ref('int_units_centred') }} as values_of
    on goals.experiment_id = values_of.experiment_id
    and goals.phase = values_of.phase
    and goals.metric = values_of.metric
    and units.unit_key = values_of.unit_key
    and values_of.matured_date <= {{ as_of_date() }}
group by
    units.experiment_id, units.phase, units.variation_id, others.experiment_id, others.phase, others.variation_id,
    values_of.metric
