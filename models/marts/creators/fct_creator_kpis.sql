select
    creator_id,
    week_end_date,
    kpi,

    tier,
    level,

    cast(weight as decimal(9, 6)) as kpi_weight,
    score as kpi_score,
    coverage_rate,
    headroom,
    peer_percentile,
    bottleneck_rank,

    week_end_date = {{ as_of_date() }} as is_latest,

    reference_version
from {{ ref('py_creator_kpis') }}
