select
    comparison_id,
    response_a_id,
    response_b_id,
    rater_id,
    rater_kind,
    compared_at,
    shown_first,
    winner,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_llm__comparisons__judged') }}
where verdict = 'accepted'
