{{ config(materialized='table') }}

-- What paid graders and judges said of an answer: by majority, a tie is no flag. A refusal claims nothing.
with

grades as (

    select
        response_id,
        count(case when rater_kind = 'human' then 1 end) as human_count,
        count(case when rater_kind = 'human' and is_hallucination then 1 end) as human_flag_count,
        count(case when rater_kind = 'judge' then 1 end) as judge_count,
        count(case when rater_kind = 'judge' and is_hallucination then 1 end) as judge_flag_count
    from {{ ref('stg_llm__ratings') }}
    where rater_kind <> 'user' and is_hallucination is not null
        and {{ reporting_date('rated_at') }} <= {{ as_of_date() }}
    group by response_id

)

select
    answers.answer_key,
    answers.person_key,
    answers.role,
    answers.feature,
    answers.model_version,
    answers.answered_date,
    grades.human_count > 0 as is_graded,
    grades.judge_count > 0 as is_judged,
    coalesce(scores.is_refusal, false) as is_refusal,
    case
        when grades.human_count > 0
            then 2 * grades.human_flag_count > grades.human_count and not coalesce(scores.is_refusal, false)
    end as is_hallucination,
    case when grades.judge_count > 0 then 2 * grades.judge_flag_count > grades.judge_count end as is_judge_flag
from grades
inner join {{ ref('int_answers_described') }} as answers on grades.response_id = answers.response_id
left join {{ ref('int_answers_scored') }} as scores on answers.answer_key = scores.answer_key
