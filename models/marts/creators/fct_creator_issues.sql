with

components as (

    select * from {{ ref('py_creator_components') }}
    where is_issue

),

rules as (

    select * from {{ ref('creator_rules') }}

),

actions as (

    select * from {{ ref('creator_recommendations') }}

)

select
    components.creator_id,
    components.week_end_date,
    components.kpi,
    components.component,

    components.severity,
    components.cause,
    rules.measure as threshold_measure,
    rules.direction as threshold_direction,
    components.action,
    actions.title as action_title,

    components.input_value as measured_value,
    components.score as component_score,
    rules.issue_threshold,
    rules.severe_threshold,
    components.peer_p25 as peer_quartile_low,
    components.impact,
    components.headroom,
    cast(
        row_number() over (
            partition by components.creator_id, components.week_end_date
            order by
                components.impact desc nulls last,
                components.kpi asc nulls last,
                components.component asc nulls last
        ) as bigint
    ) as impact_rank,

    components.week_end_date = {{ as_of_date() }} as is_latest,

    components.reference_version
from components
inner join rules
    on components.kpi = rules.kpi
    and components.component = rules.component
    and components.week_end_date >= rules.valid_from_date
    and components.week_end_date < rules.valid_to_date
-- An issue without an entry of the catalogue stays, and says so by its title.
left join actions
    on components.action = actions.action
    and components.week_end_date >= actions.valid_from_date
    and components.week_end_date < actions.valid_to_date
