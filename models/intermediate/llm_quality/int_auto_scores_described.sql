-- Automatic scores beside what is known of the answer they are about.
select
    answers.feature,
    answers.model_version,
    answers.answered_date,
    scores.response_id,
    scores.scorer_version,
    scores.groundedness,
    scores.number_mismatch,
    scores.citation_missing,
    scores.length_ratio,
    scores.readability,
    scores.repetition,
    scores.is_refusal
from {{ ref('stg_llm__auto_scores') }} as scores
inner join {{ ref('int_answers_described') }} as answers on scores.response_id = answers.response_id
