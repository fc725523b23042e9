{{ config(materialized='table') }}

-- Answers given to people, up to the last complete day, beside who asked and what the person said of it.
with

ratings as (

    select
        response_id,
        score,
        -- Who rates an answer twice has changed their mind.
        row_number() over (
            partition by response_id
            order by rated_at desc nulls last, rating_id asc nulls last
        ) as rating_rank
    from {{ ref('stg_llm__ratings') }}
    where rater_kind = 'user' and {{ reporting_date('rated_at') }} <= {{ as_of_date() }}

),

answers as (

    select
        *,
        {{ reporting_date('responded_at') }} as answered_date
    from {{ ref('stg_llm__responses') }}

)

select
    {{ entity_key('answers.response_id') }} as answer_key,
    answers.response_id,
    people.person_key,
    people.role,
    coalesce(answers.feature, 'unknown') as feature,
    answers.model_version,
    coalesce(answers.bot_id, 'none') as bot_id,
    {{ entity_key('answers.bot_id') }} as bot_key,
    answers.responded_at,
    answers.answered_date,
    answers.latency_ms,
    answers.cost_usd,
    ratings.score as user_score
from answers
inner join {{ ref('int_persons_described') }} as people
    on answers.user_id = people.person_id and not people.is_excluded
-- A machine's day does not count, whatever stands on it.
left join {{ ref('int_user_days_excluded') }} as excluded_days
    on people.person_key = excluded_days.person_key and answers.answered_date = excluded_days.event_date
left join ratings on answers.response_id = ratings.response_id and ratings.rating_rank = 1
where excluded_days.person_key is null and answers.answered_date <= {{ as_of_date() }}
