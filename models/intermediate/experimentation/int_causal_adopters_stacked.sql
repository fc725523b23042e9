{{ config(materialized='table') }}
{%- set before, after = number_var('causal_weeks_before'), number_var('causal_weeks_after') %}
-- Who first did something, beside people who joined in the same week and have never done it: a stack is one week of
-- joining and one week of life in which the former began. Whoever never began serves in one stack only, by lot.
with

adoptions as (

    select
        questions.question,
        days.person_key,
        min(days.activity_date) as adoption_date
    from {{ ref('causal_questions') }} as questions
    inner join {{ ref('int_causal_days_measured') }} as days
        on {{ causal_amount('questions.treatment_name', 'days') }} > 0
    where questions.treatment_kind = 'measure' and ' ' || questions.methods || ' ' like '% stacked_did %'
    group by questions.question, days.person_key

),

people as (

    select
        questions.question,
        cohorts.person_key,
        persons.person_id,
        cohorts.first_active_date,
        -- Days since a Monday, so that what is left of a division by 7 is the weekday.
        {{ day_diff("date '1970-01-05'", 'cohorts.first_active_date') }} as joining_day,
        {{ day_diff('cohorts.first_active_date', 'adoptions.adoption_date') }} as adoption_age
    from {{ ref('causal_questions') }} as questions
    cross join {{ ref('int_persons_cohorted') }} as cohorts
    inner join {{ ref('int_persons_described') }} as persons on cohorts.person_key = persons.person_key
    left join adoptions
        on questions.question = adoptions.question and cohorts.person_key = adoptions.person_key
    where questions.treatment_kind = 'measure' and ' ' || questions.methods || ' ' like '% stacked_did %'

),

placed as (

    select
        question,
        person_key,
        person_id,
        first_active_date,
        joining_day - joining_day % 7 as cohort_day,
        adoption_age - adoption_age % 7 as adoption_day,
        adoption_age is not null as is_treated
    from people

),

stacks as (

    select
        question,
        cohort_day,
        adoption_day,
        row_number() over (
            partition by question, cohort_day order by adoption_day asc nulls last
        ) - 1 as stack_number,
        count(*) over (partition by question, cohort_day) as stack_count
    from (
        select distinct
            question,
            cohort_day,
            adoption_day
        from placed
        where adoption_day >= 7 * {{ before }}
            and cohort_day + 6 + adoption_day + 7 * {{ after }} - 1
            <= {{ day_diff("date '1970-01-05'", as_of_date()) }}
    ) as distinct_stacks

),

numbered as (

    select
        placed.*,
        row_number() over (
            partition by placed.question, placed.cohort_day, placed.is_treated
            order by md5(placed.person_id) asc nulls last, placed.person_key asc nulls last
        ) as lot_number
    from placed

)

select
    stacks.question,
    stacks.cohort_day,
    stacks.adoption_day,
    numbered.person_key,
    numbered.is_treated,
    numbered.first_active_date
from numbered
inner join stacks
    on numbered.question = stacks.question
    and numbered.cohort_day = stacks.cohort_day
    and case
        when numbered.is_treated then numbered.adoption_day
        when numbered.lot_number % stacks.stack_count = stacks.stack_number then stacks.adoption_day
    end = stacks.adoption_day
