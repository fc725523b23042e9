{%- set terms = ['y', 'd', 'yy', 'yd', 'dd', 'yyy'] -%}
-- Four groups side by side for every two treatments: neither, the other's only, this one's only, both.
{%- set groups = {
    'neither': ['own.control_variation_id', 'other.control_variation_id'],
    'other': ['own.control_variation_id', 'other.variation_id'],
    'treated': ['own.variation_id', 'other.control_variation_id'],
    'both': ['own.variation_id', 'other.variation_id']
} %}
with

treatments as (

    select
        experiment_id,
        phase,
        variation_id,
        control_variation_id
    from {{ ref('int_experiment_variations_listed') }}
    where not is_control and expected_weight > 0 and control_variation_id is not null

),

pairs as (

    select distinct
        experiment_id,
        phase,
        other_experiment_id,
        other_phase,
        metric
    from {{ ref('int_experiment_pairs_summed') }}

)

select
    pairs.experiment_id,
    pairs.phase,
    own.variation_id,
    pairs.other_experiment_id,
    pairs.other_phase,
    other.variation_id as other_variation_id,
    pairs.metric,
    metrics.kind,
    metrics.scale,
    scales.numerator_pivot,
    scales.denominator_pivot,
    {%- for group in groups %}
    coalesce({{ group }}_units.unit_count, 0) as {{ group }}_unit_count,
    {%- for term in terms %}
    coalesce({{ group }}_units.sum_{{ term }}, 0) as {{ group }}_sum_{{ term }},
    {%- endfor %}
    {%- endfor %}
    metrics.good_direction
from pairs
inner join treatments as own on pairs.experiment_id = own.experiment_id and pairs.phase = own.phase
inner join treatments as other
    on pairs.other_experiment_id = other.experiment_id and pairs.other_phase = other.phase
inner join {{ ref('int_experiment_metrics_assigned') }} as metrics
    on pairs.experiment_id = metrics.experiment_id
    and pairs.phase = metrics.phase
    and pairs.metric = metrics.metric
inner join {{ ref('int_metric_scales_set') }} as scales
    on pairs.experiment_id = scales.experiment_id and pairs.phase = scales.phase and pairs.metric = scales.metric
{%- for group, variations in groups.items() %}
left join {{ ref('int_experiment_pairs_summed') }} as {{ group }}_units
    on pairs.experiment_id = {{ group }}_units.experiment_id
    and pairs.phase = {{ group }}_units.phase
    and pairs.other_experiment_id = {{ group }}_units.other_experiment_id
    and pairs.other_phase = {{ group }}_units.other_phase
    and pairs.metric = {{ group }}_units.metric
    and {{ variations[0] }} = {{ group }}_units.variation_id
    and {{ variations[1] }} = {{ group }}_units.other_variation_id
{%- endfor %}
