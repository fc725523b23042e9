select
    creator_id,
    week_end_date,
    kpi,
    component,

    cast(kpi_weight as decimal(9, 6)) as kpi_weight,
    cast(component_weight as decimal(9, 6)) as component_weight,
    input_value as measured_value,
    cast(sample_size as bigint) as observation_count,
    score as component_score,
    headroom,
    peer_p25 as peer_quartile_low,
    peer_percentile,

    is_issue,
    week_end_date = {{ as_of_date() }} as is_latest,

    reference_version
from {{ ref('py_creator_components') }}
