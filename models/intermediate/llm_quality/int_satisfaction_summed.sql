{{ config(materialized='table') }}

-- Ratings by slice, of a day and of the trailing window that ends on the last complete day. The person is the
-- unit of an interval, so persons are summed first and their squares after.
with

answers as (

    select
        1 as window_days,
        answered_date as window_end_date,
        person_key,
        role,
        feature,
        model_version,
        bot_id,
        user_score
    from {{ ref('int_answers_described') }}
    union all
    select
        {{ number_var('trailing_window_days') }} as window_days,
        {{ as_of_date() }} as window_end_date,
        person_key,
        role,
        feature,
        model_version,
        bot_id,
        user_score
    from {{ ref('int_answers_described') }}
    where answered_date > {{ add_days(as_of_date(), '-' ~ number_var('trailing_window_days')) }}

),

weighted as (

    select
        answers.*,
        case when answers.user_score is not null then weights.weight_thousandths end as weight
    from answers
    left join {{ ref('int_answer_weights_rolled') }} as weights
        on answers.window_days = weights.window_days
        and answers.window_end_date = weights.window_end_date
        and answers.feature = weights.feature
        and answers.role = weights.role

),

sliced as (

    {%- for dimension in ['all', 'feature', 'model_version', 'role', 'bot'] %}
    {%- set value = {'all': "'all'", 'bot': 'bot_id'}.get(dimension, dimension) %}
    select
        window_days,
        window_end_date,
        '{{ dimension }}' as slice_dimension,
        {{ value }} as slice_value,
        person_key,
        count(*) as answer_count,
        count(user_score) as rated_count,
        count(case when user_score <= {{ number_var('low_score_at_most') }} then 1 end) as low_count,
        cast(coalesce(sum(user_score), 0) as bigint) as score_sum,
        cast(coalesce(sum(weight), 0) as decimal(18, 0)) as weight_sum,
        cast(coalesce(sum(weight * user_score), 0) as decimal(18, 0)) as weighted_score_sum
    from weighted
    group by window_days, window_end_date, person_key{{ ', ' ~ value if dimension != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    window_days,
    window_end_date,
    {{ day_diff("cast('1970-01-01' as date)", 'window_end_date') }} as day_number,
    slice_dimension,
    slice_value,
    count(*) as asking_user_count,
    cast(sum(answer_count) as bigint) as answer_count,
    cast(sum(rated_count) as bigint) as rated_count,
    count(case when rated_count > 0 then 1 end) as rating_user_count,
    cast(sum(low_count) as bigint) as low_count,
    cast(sum(score_sum) as bigint) as score_sum,
    cast(sum(score_sum * score_sum) as bigint) as score_square_sum,
    cast(sum(rated_count * rated_count) as bigint) as rated_square_sum,
    cast(sum(score_sum * rated_count) as bigint) as score_rated_sum,
    cast(sum(weight_sum) as decimal(38, 0)) as weight_sum,
    cast(sum(weighted_score_sum) as decimal(38, 0)) as weighted_score_sum,
    cast(sum(weighted_score_sum * weighted_score_sum) as decimal(38, 0)) as weighted_score_square_sum,
    cast(sum(weight_sum * weight_sum) as decimal(38, 0)) as weight_square_sum,
    cast(sum(weighted_score_sum * weight_sum) as decimal(38, 0)) as weighted_score_weight_sum
from sliced
group by window_days, window_end_date, slice_dimension, slice_value
