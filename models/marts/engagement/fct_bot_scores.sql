with

scores as (

    select * from {{ ref('py_bot_scores') }}

),

sums as (

    select * from {{ ref('int_bot_indicators_rolled') }}

),

bots as (

    select * from {{ ref('int_bots_versioned') }}

)

select
    scores.bot_id,
    scores.score_date,

    bots.workflow,
    bots.creator_id,
    bots.model_version,
    bots.is_ai_generated,

    sums.impression_count,
    sums.view_count,
    sums.chatting_person_count as chatting_user_count,
    scores.quality_score,
    scores.coverage_rate,
    scores.observed_indicator_count,

    {{ is_final('scores.score_date') }} as is_final
from scores
inner join sums on scores.bot_id = sums.bot_id and scores.score_date = sums.score_date
inner join bots
    on scores.bot_id = bots.bot_id
    and scores.score_date between bots.valid_from_date and bots.valid_to_date
