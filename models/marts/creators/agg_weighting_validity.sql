select
    week_end_date,
    weighting_kind,
    weighting,

    creator_count,

    spearman,
    spearman_low,
    spearman_high,
    spearman_gain,
    spearman_gain_low,
    spearman_gain_high,
    ndcg,
    ndcg_low,
    ndcg_high,
    top_precision,
    top_precision_low,
    top_precision_high,

    reference_version
from {{ ref('py_weighting_validity') }}
