select
    subject,
    statistic,
    rater_id,
    other_rater_id,

    pair_count,
    agreement_rate,
    value as agreement,
    value_low as agreement_low,
    value_high as agreement_high,
    reason
from {{ ref('py_rater_agreements') }}
