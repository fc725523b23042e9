-- No age is missing, nobody appears or vanishes between two ages, and at the last one nobody is left.
with

followed as (

    select
        segment_dimension,
        segment_value,
        age_days,
        at_risk_count - lapsed_count - censored_count as left_count,
        lead(age_days) over by_age as next_age_days,
        lead(at_risk_count) over by_age as next_at_risk_count
    from {{ ref('agg_survival__ages') }}
    window by_age as (partition by segment_dimension, segment_value order by age_days asc nulls last)

)

select *
from followed
where left_count <> coalesce(next_at_risk_count, 0) or next_age_days <> age_days + 1
