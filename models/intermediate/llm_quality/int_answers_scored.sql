{{ config(materialized='table') }}

-- One set of automatic scores for each answer: of the scorer in use, else of whichever scored it last.
with

ranked as (

    select
        *,
        row_number() over (
            partition by response_id
            order by
                case when scorer_version = '{{ text_var('answer_scorer_version') }}' then 0 else 1 end asc nulls last,
                scored_at desc nulls last,
                scorer_version asc nulls last
        ) as score_rank
    from {{ ref('stg_llm__auto_scores') }}

)

select
    answers.answer_key,
    answers.person_key,
    answers.feature,
    answers.model_version,
    answers.answered_date,
    ranked.scorer_version,
    ranked.is_refusal,
    -- What a claim says can only be judged where there is a source, and where the model answered at all.
    case when not ranked.is_refusal then ranked.groundedness < 1 end as has_unsupported_sentence,
    case when not ranked.is_refusal then ranked.number_mismatch > 0 end as has_number_mismatch,
    case
        when not ranked.is_refusal then ranked.citation_missing > cast('0.5' as decimal(9, 6))
    end as has_missing_citation
from ranked
inner join {{ ref('int_answers_described') }} as answers on ranked.response_id = answers.response_id
where ranked.score_rank = 1
