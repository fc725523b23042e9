with

recommendations as (

    select * from {{ ref('py_creator_recommendations') }}

),

actions as (

    select * from {{ ref('creator_recommendations') }}

),

carried_out as (

    select
        recommendation_id,
        min(implemented_on) as implemented_date
    from {{ ref('int_recommendation_actions_dated') }}
    group by recommendation_id

)

select
    recommendations.recommendation_id,
    recommendations.creator_id,
    recommendations.week_end_date,

    recommendations.iso_week,
    recommendations.place as priority_rank,
    recommendations.kpi,
    recommendations.component,
    recommendations.action,
    actions.title as action_title,
    actions.what_to_do,
    recommendations.severity,
    recommendations.cause,
    recommendations.evidence_grade,

    recommendations.priority,
    recommendations.headroom,
    recommendations.confidence,
    recommendations.expected_gain,
    cast(recommendations.effort_hours as decimal(9, 2)) as effort_hours,
    cast(recommendations.expected_value as decimal(18, 6)) as expected_value_usd,

    recommendations.primary_metric,
    actions.metric_direction,
    actions.unit as test_unit,
    recommendations.baseline as baseline_value,
    recommendations.minimum_effect,
    cast(actions.mde_relative as decimal(9, 6)) as minimum_relative_effect,
    cast(recommendations.sample_size_per_arm as bigint) as needed_unit_per_arm_count,
    recommendations.test_days,
    recommendations.stopping_rule,
    recommendations.plan_reason,
    recommendations.is_feasible,

    {{ iso_day_of_week('recommendations.week_end_date') }} = 7 as is_week_complete,
    recommendations.week_end_date = {{ as_of_date() }} as is_latest,
    carried_out.recommendation_id is not null as is_implemented,
    carried_out.implemented_date,

    recommendations.reference_version
from recommendations
inner join actions
    on recommendations.action = actions.action
    and recommendations.week_end_date >= actions.valid_from_date
    and recommendations.week_end_date < actions.valid_to_date
left join carried_out on recommendations.recommendation_id = carried_out.recommendation_id
