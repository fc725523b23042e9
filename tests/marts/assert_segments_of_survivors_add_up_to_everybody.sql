-- A person has one value of each property, so at every age the values of a property add up to the total.
with

parts as (

    select
        segment_dimension,
        age_days,
        sum(at_risk_count) as at_risk_count,
        sum(lapsed_count) as lapsed_count
    from {{ ref('agg_survival__ages') }}
    group by segment_dimension, age_days

),

dimensions as (

    select distinct segment_dimension from {{ ref('agg_survival__ages') }}

),

totals as (

    select
        dimensions.segment_dimension,
        ages.age_days,
        ages.at_risk_count,
        ages.lapsed_count
    from {{ ref('agg_survival__ages') }} as ages
    cross join dimensions
    where ages.segment_dimension = 'all'

)

select
    coalesce(totals.segment_dimension, parts.segment_dimension) as segment_dimension,
    coalesce(totals.age_days, parts.age_days) as age_days,
    parts.at_risk_count,
    totals.at_risk_count as total_at_risk_count,
    parts.lapsed_count,
    totals.lapsed_count as total_lapsed_count
from totals
full outer join parts
    on totals.segment_dimension = parts.segment_dimension and totals.age_days = parts.age_days
where coalesce(totals.at_risk_count, 0) <> coalesce(parts.at_risk_count, 0)
    or coalesce(totals.lapsed_count, 0) <> coalesce(parts.lapsed_count, 0)
