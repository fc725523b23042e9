with

scores as (

    select * from {{ ref('py_creator_scores') }}
    where tier = 0

),

-- Creators without a score are ranked among themselves, and their ranks are dropped.
ranked as (

    select
        *,
        rank() over (partition by week_end_date order by score desc nulls last) as overall_rank,
        rank() over (
            partition by week_end_date order by equal_weight_score desc nulls last
        ) as equal_weight_rank,
        count(score) over (partition by week_end_date) as scored_creator_count,
        count(score) over (partition by week_end_date, size_band) as peer_count
    from scores

)

select
    creator_id,
    week_end_date,

    size_band,
    level,
    case when score is null then 'insufficient data' else 'scored' end as status,

    score as overall_score,
    coverage_rate,
    revenue_focus as revenue_focus_rate,
    peer_percentile,
    equal_weight_score,
    weighting_effect,
    case when score is not null then cast(overall_rank as bigint) end as overall_rank,
    case when score is not null then cast(equal_weight_rank as bigint) end as equal_weight_rank,
    case when score is not null then cast(equal_weight_rank - overall_rank as bigint) end as rank_change,
    cast(scored_creator_count as bigint) as scored_creator_count,
    cast(case when size_band = 'unknown' then 0 else peer_count end as bigint) as peer_count,
    issue_count,

    {{ iso_day_of_week('week_end_date') }} = 7 as is_week_complete,
    week_end_date = {{ as_of_date() }} as is_latest,
    {{ is_final('week_end_date') }} as is_final,

    reference_version
from ranked
