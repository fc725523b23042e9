-- A component belongs to a KPI, has a rule, and the rule names a recommendation, on every day it holds.
with

kpis as (

    select * from {{ ref('creator_kpis') }}

),

components as (

    select * from {{ ref('creator_components') }}

),

rules as (

    select * from {{ ref('creator_rules') }}

),

recommendations as (

    select * from {{ ref('creator_recommendations') }}

),

days as (

    select valid_from_date as changed_date from kpis
    union distinct
    select valid_from_date as changed_date from components
    union distinct
    select valid_from_date as changed_date from rules
    union distinct
    select valid_from_date as changed_date from recommendations
    union distinct
    select valid_to_date as changed_date from kpis
    union distinct
    select valid_to_date as changed_date from rules
    union distinct
    select valid_to_date as changed_date from recommendations

)

select
    days.changed_date,
    components.kpi,
    components.component,
    kpis.kpi as found_kpi,
    rules.component as found_rule,
    recommendations.action as found_recommendation
from days
inner join components
    on days.changed_date >= components.valid_from_date
    and days.changed_date < components.valid_to_date
left join kpis
    on components.kpi = kpis.kpi
    and days.changed_date >= kpis.valid_from_date
    and days.changed_date < kpis.valid_to_date
left join rules
    on components.kpi = rules.kpi
    and components.component = rules.component
    and days.changed_date >= rules.valid_from_date
    and days.changed_date < rules.valid_to_date
left join recommendations
    on rules.action = recommendations.action
    and days.changed_date >= recommendations.valid_from_date
    and days.changed_date < recommendations.valid_to_date
where
    kpis.kpi is null
    or rules.component is null
    or recommendations.action is null
