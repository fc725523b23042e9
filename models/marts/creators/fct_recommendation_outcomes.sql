with

outcomes as (

    select * from {{ ref('py_recommendation_outcomes') }}

),

shown as (

    select distinct recommendation_id
    from {{ ref('py_creator_recommendations') }}

)

select
    outcomes.action_id,
    outcomes.creator_id,
    outcomes.recommendation_id,

    outcomes.kpi,
    outcomes.component,
    outcomes.action,
    outcomes.primary_metric,
    outcomes.metric_direction,
    outcomes.status,

    outcomes.metric_before,
    outcomes.metric_after,
    outcomes.expected_after,
    outcomes.effect,
    outcomes.effect_low,
    outcomes.effect_high,
    outcomes.control_count,

    shown.recommendation_id is not null as is_shown,
    -- A judgement on one creator; what the action brings in general stands in agg_recommendation_gains.
    case
        when outcomes.metric_direction = 'down' then outcomes.effect_high < 0
        else outcomes.effect_low > 0
    end as is_beyond_chance,

    outcomes.implemented_date,
    outcomes.before_week_end_date,
    outcomes.after_week_end_date
from outcomes
left join shown on outcomes.recommendation_id = shown.recommendation_id
