-- What is advised answers an issue of the creator, in the order of its priority, and the priority is its formula.
with

recommendations as (

    select * from {{ ref('fct_creator_recommendations') }}

),

issues as (

    select * from {{ ref('fct_creator_issues') }}

)

select
    'no issue' as problem,
    recommendations.recommendation_id
from recommendations
left join issues
    on recommendations.creator_id = issues.creator_id
    and recommendations.week_end_date = issues.week_end_date
    and recommendations.kpi = issues.kpi
    and recommendations.component = issues.component
where recommendations.is_latest
    and (issues.creator_id is null or issues.action <> recommendations.action)
union all
select
    'another priority',
    recommendation_id
from recommendations
where abs(priority - {{ safe_divide('expected_gain * headroom * confidence', 'effort_hours') }}) > 1e-12
union all
select
    'out of order',
    later.recommendation_id
from recommendations as later
inner join recommendations as earlier
    on later.creator_id = earlier.creator_id
    and later.week_end_date = earlier.week_end_date
    and later.priority_rank > earlier.priority_rank
where later.priority > earlier.priority
union all
select
    'more than three',
    min(recommendation_id)
from recommendations
group by creator_id, week_end_date
having count(*) > 3
