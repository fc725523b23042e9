{{ config(materialized='table') }}

-- Figures of a day that charts watch, by model version and feature: answers, sum and sum of squares, all integers.
with

measured as (

    select
        'low_rating_rate' as metric,
        model_version,
        feature,
        answered_date,
        case when user_score <= {{ number_var('low_score_at_most') }} then 1 else 0 end as figure
    from {{ ref('int_answers_described') }}
    where user_score is not null
    union all
    select 'mean_score', model_version, feature, answered_date, user_score
    from {{ ref('int_answers_described') }}
    where user_score is not null
    union all
    select
        'faulty_text_rate',
        model_version,
        feature,
        answered_date,
        case when has_number_mismatch or has_missing_citation then 1 else 0 end
    from {{ ref('int_answers_scored') }}
    where has_missing_citation is not null
    union all
    select 'refusal_rate', model_version, feature, answered_date, case when is_refusal then 1 else 0 end
    from {{ ref('int_answers_scored') }}
    union all
    select 'regeneration_rate', model_version, feature, answered_date, case when is_regenerated then 1 else 0 end
    from {{ ref('int_answers_followed') }}
    where is_chat

)

select
    metric,
    model_version,
    feature,
    answered_date,
    count(*) as answer_count,
    cast(sum(figure) as bigint) as figure_sum,
    cast(sum(figure * figure) as bigint) as figure_square_sum
from measured
group by metric, model_version, feature, answered_date
