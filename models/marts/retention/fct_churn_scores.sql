select
    person_id,
    snapshot_date,
    model_name,
    unscored_reason,
    reason_1,
    reason_2,
    reason_3,

    churn_probability,
    cast(risk_decile as bigint) as risk_decile,
    log_odds,
    base_log_odds,
    contribution_log_odds,
    reason_1_log_odds,
    reason_2_log_odds,
    reason_3_log_odds
from {{ ref('py_churn_scores') }}
