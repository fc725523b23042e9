-- First days of every version of a model, from the day on which there are enough of them to know the level: days,
-- answers, and answers that are not like the others.
with

days as (

    select * from {{ ref('int_quality_days_measured') }}

),

versions as (

    select
        metric,
        model_version,
        min(answered_date) as first_date
    from days
    group by metric, model_version

),

grown as (

    select
        days.metric,
        days.model_version,
        days.answered_date,
        versions.first_date,
        cast(sum(sum(days.answer_count)) over so_far as bigint) as base_answer_count,
        cast(sum(sum(days.figure_sum)) over so_far as bigint) as base_sum,
        cast(sum(sum(days.figure_square_sum)) over so_far as bigint) as base_square_sum
    from days
    inner join versions on days.metric = versions.metric and days.model_version = versions.model_version
    group by days.metric, days.model_version, days.answered_date, versions.first_date
    window so_far as (
        partition by days.metric, days.model_version
        order by days.answered_date asc nulls last
        rows between unbounded preceding and current row
    )

),

ended as (

    select
        *,
        row_number() over (partition by metric, model_version order by answered_date asc nulls last) as end_rank
    from grown
    where answered_date >= {{ add_days('first_date', number_var('chart_base_days') ~ ' - 1') }}
        and {{ is_enough_for_a_base() }}

)

select
    metric,
    model_version,
    answered_date as base_end_date,
    base_answer_count,
    base_sum,
    base_square_sum
from ended
where end_rank = 1
