{{ config(materialized='table') }}

-- How many answers one rating speaks for: answers per rating of the feature and role over the trailing window,
-- in thousandths, so that weighted sums stay exact.
with

days as (

    select
        answered_date,
        feature,
        role,
        {{ day_diff("cast('1970-01-01' as date)", 'answered_date') }} as day_number,
        count(*) as answer_count,
        count(user_score) as rated_count
    from {{ ref('int_answers_described') }}
    group by answered_date, feature, role

),

rolled as (

    select
        answered_date,
        feature,
        role,
        cast(sum(answer_count) over trailing_days as bigint) as answer_count,
        cast(sum(rated_count) over trailing_days as bigint) as rated_count
    from days
    window trailing_days as (
        partition by feature, role
        order by day_number asc nulls last
        range between {{ (number_var('trailing_window_days') | int) - 1 }} preceding and current row
    )

),

-- The window that ends on the last complete day, also for features nobody used on that day.
latest as (

    select
        feature,
        role,
        cast(sum(answer_count) as bigint) as answer_count,
        cast(sum(rated_count) as bigint) as rated_count
    from days
    where answered_date > {{ add_days(as_of_date(), '-' ~ number_var('trailing_window_days')) }}
    group by feature, role

),

windows as (

    select 1 as window_days, answered_date, feature, role, answer_count, rated_count from rolled
    union all
    select
        {{ number_var('trailing_window_days') }} as window_days,
        {{ as_of_date() }} as answered_date,
        feature,
        role,
        answer_count,
        rated_count
    from latest

)

select
    window_days,
    answered_date as window_end_date,
    feature,
    role,
    answer_count,
    rated_count,
    cast(floor((2000 * answer_count + rated_count) / nullif(2 * rated_count, 0)) as bigint) as weight_thousandths
from windows
where rated_count > 0
