{%- set counts = [
    'train_row_count', 'train_churned_count', 'test_row_count', 'test_churned_count', 'top_decile_count',
    'top_decile_churned_count',
] %}
{%- set measures = [
    'is_deployed', 'predicted_churned', 'area_under_curve', 'area_under_curve_low', 'average_precision', 'brier_score',
    'base_skill', 'recency_skill', 'calibration_slope', 'calibration_intercept', 'brier_gain', 'brier_gain_low',
    'brier_gain_high',
] %}
with

models as (

    select
        model_name,
        {%- for name in counts + measures %}
        max(case when metric = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        max(reason) as unjudged_reason
    from {{ ref('py_churn_findings') }}
    where section = 'model'
    group by model_name

),

snapshots as (

    select
        max(case when purpose = 'test' then snapshot_date end) as test_snapshot_date,
        min(case when purpose = 'train' then snapshot_date end) as first_train_snapshot_date,
        max(case when purpose = 'train' then snapshot_date end) as last_train_snapshot_date
    from {{ ref('int_churn_snapshots_dated') }}

),

-- The feature that alone tells most: where it tells too much, it knows the outcome.
features as (

    select
        model_name,
        name as feature,
        max(case when metric = 'single_area' then value end) as single_area,
        max(case when metric = 'single_area_low' then value end) as single_area_low
    from {{ ref('py_churn_findings') }}
    where section = 'feature'
    group by model_name, name

),

ranked as (

    select
        *,
        row_number() over (
            partition by model_name order by single_area desc nulls last, feature asc nulls last
        ) as place
    from features

)

select
    models.model_name,
    snapshots.test_snapshot_date,
    snapshots.first_train_snapshot_date,
    snapshots.last_train_snapshot_date,
    models.unjudged_reason,
    coalesce(ranked.feature, 'none') as strongest_feature,
    models.is_deployed = 1 as is_deployed,

    {%- for name in counts %}
    cast(models.{{ name }} as bigint) as {{ name }},
    {%- endfor %}
    {{ safe_divide('models.test_churned_count', 'models.test_row_count') }} as test_churn_rate,
    {{ safe_divide('models.predicted_churned', 'models.test_row_count') }} as predicted_churn_rate,
    models.area_under_curve,
    models.area_under_curve_low,
    ranked.single_area as strongest_feature_area,
    ranked.single_area_low as strongest_feature_area_low,
    models.average_precision,
    models.brier_score,
    models.base_skill,
    models.recency_skill,
    models.calibration_slope,
    models.calibration_intercept,
    {{ safe_divide('models.top_decile_churned_count', 'models.top_decile_count') }} as top_decile_churn_rate,
    {{ safe_divide('models.top_decile_churned_count', 'models.top_decile_count') }}
    / nullif({{ safe_divide('models.test_churned_count', 'models.test_row_count') }}, 0) as top_decile_lift,
    models.brier_gain,
    models.brier_gain_low,
    models.brier_gain_high
from models
cross join snapshots
left join ranked on models.model_name = ranked.model_name and ranked.place = 1
