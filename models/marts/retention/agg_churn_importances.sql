with

found as (

    select
        model_name,
        section,
        name,
        max(case when metric = 'mean_absolute_contribution' then value end) as mean_absolute_contribution,
        max(case when metric = 'direction' then value end) as direction,
        max(case when metric = 'permutation_loss' then value end) as permutation_loss,
        max(case when metric = 'single_area' then value end) as single_area
    from {{ ref('py_churn_findings') }}
    where section in ('feature', 'driver')
    group by model_name, section, name

)

select
    found.model_name,
    found.section as importance_level,
    found.name,
    coalesce(features.driver, found.name) as driver,
    coalesce(features.label, found.name) as feature_label,
    case when found.direction > 0 then 'raises' when found.direction < 0 then 'lowers' else 'mixed' end as direction,

    row_number() over (
        partition by found.model_name, found.section
        order by found.mean_absolute_contribution desc nulls last, found.name asc nulls last
    ) as importance_rank,
    found.mean_absolute_contribution,
    found.permutation_loss,
    found.single_area as single_feature_area,

    true as is_associational
from found
left join {{ ref('driver_features') }} as features on found.name = features.feature and found.section = 'feature'
