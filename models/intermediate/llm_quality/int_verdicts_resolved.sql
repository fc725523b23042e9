{{ config(materialized='table') }}

-- Verdicts on pairs of answers in one form, whichever answer was called a; one for each rater, pair and order.
with

verdicts as (

    select
        comparison_id,
        rater_id,
        rater_kind,
        compared_at,
        least(response_a_id, response_b_id) as left_id,
        greatest(response_a_id, response_b_id) as right_id,
        case shown_first when 'a' then response_a_id else response_b_id end as first_id,
        case winner when 'a' then response_a_id when 'b' then response_b_id else 'tie' end as winner_id
    from {{ ref('stg_llm__comparisons') }}
    where {{ reporting_date('compared_at') }} <= {{ as_of_date() }} and response_a_id <> response_b_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by rater_id, rater_kind, left_id, right_id, first_id
            order by compared_at desc nulls last, comparison_id asc nulls last
        ) as verdict_rank
    from verdicts

),

latest as (

    select * from ranked
    where verdict_rank = 1

),

-- What people said of the pair: the answer that more of them preferred.
human as (

    select
        left_id,
        right_id,
        count(case when winner_id = left_id then 1 end) as left_count,
        count(case when winner_id = right_id then 1 end) as right_count
    from latest
    where rater_kind = 'human'
    group by left_id, right_id

)

select
    latest.comparison_id,
    latest.rater_id,
    latest.rater_kind,
    latest.left_id,
    latest.right_id,
    latest.first_id = latest.left_id as is_left_first,
    latest.winner_id = 'tie' as is_tie,
    latest.winner_id = latest.first_id as is_first_winner,
    latest.winner_id = latest.left_id as is_left_winner,
    case
        when latest.rater_kind = 'human' or human.left_count = human.right_count then null
        when human.left_count > human.right_count then latest.winner_id = latest.left_id
        when human.left_count < human.right_count then latest.winner_id = latest.right_id
    end as is_as_people_said
from latest
left join human on latest.left_id = human.left_id and latest.right_id = human.right_id
