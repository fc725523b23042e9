{{ config(materialized='table') }}

-- What each grader gave; who grades an answer twice has changed their mind.
with

grades as (

    select
        response_id,
        rater_id,
        rater_kind,
        score,
        row_number() over (
            partition by response_id, rater_id
            order by rated_at desc nulls last, rating_id asc nulls last
        ) as grade_rank
    from {{ ref('stg_llm__ratings') }}
    where rater_kind <> 'user' and {{ reporting_date('rated_at') }} <= {{ as_of_date() }}

)

select
    rater_id,
    max(case when rater_kind = 'human' then 1 else 0 end) as is_human,
    count(*) as grade_count,
    cast(sum(score) as bigint) as score_sum
from grades
where grade_rank = 1
group by rater_id
