select
    creator_id,
    week_end_date,
    tier,

    level,

    cast(weight as decimal(9, 6)) as tier_weight,
    score as tier_score,
    coverage_rate,

    week_end_date = {{ as_of_date() }} as is_latest,

    reference_version
from {{ ref('py_creator_scores') }}
where tier > 0
