{{ config(materialized='table') }}

-- Pairs of grades of the same answer, each pair in both directions: all that agreement is computed from.
with

grades as (

    select
        response_id,
        rater_id,
        rater_kind,
        score,
        case when is_hallucination then 'yes' when not is_hallucination then 'no' else 'unknown' end as flag,
        row_number() over (
            partition by response_id, rater_id
            order by rated_at desc nulls last, rating_id asc nulls last
        ) as grade_rank
    from {{ ref('stg_llm__ratings') }}
    where rater_kind <> 'user' and {{ reporting_date('rated_at') }} <= {{ as_of_date() }}

),

counted as (

    select
        *,
        count(*) over (partition by response_id) as grade_count,
        count(case when rater_kind = 'human' then 1 end) over (partition by response_id) as human_grade_count
    from grades
    where grade_rank = 1

)

select
    firsts.rater_id,
    firsts.rater_kind,
    seconds.rater_id as other_rater_id,
    seconds.rater_kind as other_rater_kind,
    firsts.score,
    seconds.score as other_score,
    firsts.flag,
    seconds.flag as other_flag,
    firsts.grade_count,
    firsts.human_grade_count,
    count(*) as pair_count
from counted as firsts
inner join counted as seconds
    on firsts.response_id = seconds.response_id and firsts.rater_id <> seconds.rater_id
group by
    firsts.rater_id,
    firsts.rater_kind,
    seconds.rater_id,
    seconds.rater_kind,
    firsts.score,
    seconds.score,
    firsts.flag,
    seconds.flag,
    firsts.grade_count,
    firsts.human_grade_count
