-- An explanation that does not add up explains something else.
select
    person_id,
    base_log_odds,
    contribution_log_odds,
    log_odds
from {{ ref('fct_churn_scores') }}
where
    abs(base_log_odds + contribution_log_odds - log_odds) > 0.000001
    or abs({{ safe_divide('1', '1 + exp(-log_odds)') }} - churn_probability) > 0.000001
