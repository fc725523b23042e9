-- Days of a version beside its base, from where the base ends. A day of a handful of answers is no point.
{%- set spread = 'bases.base_answer_count * bases.base_square_sum - bases.base_sum * bases.base_sum' %}
with

days as (

    select
        metric,
        model_version,
        answered_date,
        cast(sum(answer_count) as bigint) as answer_count,
        cast(sum(figure_sum) as bigint) as figure_sum
    from {{ ref('int_quality_days_measured') }}
    group by metric, model_version, answered_date

)

select
    days.metric,
    days.model_version,
    days.answered_date,
    {{ day_diff("cast('1970-01-01' as date)", 'days.answered_date') }} as day_number,
    days.answer_count,
    days.figure_sum,
    bases.base_kind,
    bases.base_answer_count,
    bases.base_sum,
    bases.base_square_sum
from days
inner join {{ ref('int_quality_charts_based') }} as bases
    on days.metric = bases.metric and days.model_version = bases.model_version
where days.answered_date >= bases.charted_from_date
    and days.answer_count >= {{ number_var('chart_day_answers') }}
    -- The variance of the day's sum is at least 1: with less the normal limits mean nothing.
    and days.answer_count * cast({{ spread }} as double)
    >= cast(bases.base_answer_count as double) * cast(bases.base_answer_count as double)
