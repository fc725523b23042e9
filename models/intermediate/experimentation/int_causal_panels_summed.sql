{{ config(materialized='table') }}
{%- set before, after = var('causal_weeks_before') | int, var('causal_weeks_after') | int %}
-- Weeks around the beginning: exact sums and products of every two weeks over the people of a stack. Someone who did
-- nothing in a week has a zero there.
with

weeks as (

    {% for week in range(-before, after) -%}
    select {{ week }} as week_number
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

amounts as (

    select
        adopters.question,
        adopters.cohort_day,
        adopters.adoption_day,
        adopters.is_treated,
        adopters.person_key,
        weeks.week_number,
        questions.outcome,
        questions.outcome_kind,
        coalesce(sum({{ causal_amount('questions.outcome', 'days') }}), 0) as amount
    from {{ ref('int_causal_adopters_stacked') }} as adopters
    inner join {{ ref('causal_questions') }} as questions on adopters.question = questions.question
    cross join weeks
    left join {{ ref('int_causal_days_measured') }} as days
        on adopters.person_key = days.person_key
        and days.activity_date >= {{ add_days(
            'adopters.first_active_date', 'adopters.adoption_day + 7 * weeks.week_number'
        ) }}
        and days.activity_date < {{ add_days(
            'adopters.first_active_date', 'adopters.adoption_day + 7 * weeks.week_number + 7'
        ) }}
    group by
        adopters.question, adopters.cohort_day, adopters.adoption_day, adopters.is_treated, adopters.person_key,
        weeks.week_number, questions.outcome, questions.outcome_kind

),

valued as (

    select
        amounts.*,
        cast(case
            when outcome_kind = 'any' then case when amount > 0 then 1 else 0 end
            when outcome like '%_ms' then cast(amount as decimal(18, 0)) * cast(0.001 as decimal(4, 3))
            else amount
        end as decimal(18, 4)) as week_value
    from amounts

)

select
    one.question,
    one.cohort_day,
    one.adoption_day,
    one.is_treated,
    one.week_number as first_week,
    other.week_number as second_week,
    count(*) as person_count,
    sum(one.week_value) as first_sum,
    sum(one.week_value * other.week_value) as product_sum
from valued as one
inner join valued as other on one.question = other.question and one.person_key = other.person_key
group by
    one.question, one.cohort_day, one.adoption_day, one.is_treated, one.week_number, other.week_number
