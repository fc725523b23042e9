-- Headroom is in points of the overall score: that of the KPIs adds up to 1 - overall, and that of the components
-- of a KPI to its own. Summed as decimals, so that the order of rows decides nothing.
with

of_kpis as (

    select
        creator_id,
        week_end_date,
        sum(cast(headroom as decimal(38, 15))) as headroom
    from {{ ref('fct_creator_kpis') }}
    group by creator_id, week_end_date

),

of_components as (

    select
        creator_id,
        week_end_date,
        kpi,
        sum(cast(headroom as decimal(38, 15))) as headroom
    from {{ ref('fct_creator_components') }}
    group by creator_id, week_end_date, kpi

)

select
    'overall' as of_what,
    scores.creator_id,
    scores.week_end_date
from {{ ref('fct_creator_scores') }} as scores
left join of_kpis
    on scores.creator_id = of_kpis.creator_id
    and scores.week_end_date = of_kpis.week_end_date
where (scores.overall_score is null) <> (of_kpis.headroom is null)
    or abs(cast(1 - scores.overall_score as decimal(38, 15)) - of_kpis.headroom) > 0.000000000001
union all
select
    kpis.kpi,
    kpis.creator_id,
    kpis.week_end_date
from {{ ref('fct_creator_kpis') }} as kpis
inner join of_components
    on kpis.creator_id = of_components.creator_id
    and kpis.week_end_date = of_components.week_end_date
    and kpis.kpi = of_components.kpi
where (kpis.headroom is null) <> (of_components.headroom is null)
    or abs(cast(kpis.headroom as decimal(38, 15)) - of_components.headroom) > 0.000000000001
