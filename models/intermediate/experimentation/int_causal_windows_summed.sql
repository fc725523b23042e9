{{ config(materialized='table') }}
-- What each person did in the windows of a reading; a person without a row did nothing in any of them.
with

dated as (

    select
        indexed.question,
        readings.reading,
        indexed.person_key,
        questions.treatment_days,
        readings.outcome_start_day,
        readings.outcome_days,
        readings.shift_days,
        readings.history_days,
        {{ day_diff('indexed.index_date', 'days.activity_date') }} as age_days,
        days.active_days,
        days.messages,
        days.ratings,
        {{ causal_amount('questions.treatment_name', 'days') }} as treatment_amount,
        {{ causal_amount('readings.outcome', 'days') }} as outcome_amount
    from {{ ref('int_causal_persons_indexed') }} as indexed
    inner join {{ ref('causal_questions') }} as questions on indexed.question = questions.question
    inner join {{ ref('int_causal_readings_listed') }} as readings on indexed.question = readings.question
    inner join {{ ref('int_causal_days_measured') }} as days
        on indexed.person_key = days.person_key
        and days.activity_date >= {{ add_days(
            'indexed.index_date',
            'least(readings.outcome_start_day, -readings.shift_days'
            ~ ' - greatest(readings.history_days, 2 * readings.outcome_days))'
        ) }}
        and days.activity_date < {{ add_days(
            'indexed.index_date',
            'greatest(questions.treatment_days, readings.outcome_start_day + readings.outcome_days)'
        ) }}

)
{%- set in_treatment = 'age_days >= 0 and age_days < treatment_days' %}
{%- set in_history = 'age_days < -shift_days and age_days >= -shift_days - history_days' %}
{%- set in_outcome = 'age_days >= outcome_start_day and age_days < outcome_start_day + outcome_days' %}
{%- set in_before = 'age_days < -shift_days and age_days >= -shift_days - outcome_days' %}
{%- set in_earlier = 'age_days < -shift_days - outcome_days and age_days >= -shift_days - 2 * outcome_days' %}

select
    question,
    reading,
    person_key,
    cast(sum(case when {{ in_treatment }} then treatment_amount else 0 end) as bigint) as treatment_amount,
    cast(sum(case when {{ in_treatment }} then active_days else 0 end) as bigint) as chance_days,
    cast(sum(case when {{ in_treatment }} then ratings else 0 end) as bigint) as rating_count,
    cast(sum(case when {{ in_history }} then active_days else 0 end) as bigint) as history_active_days,
    cast(sum(case when {{ in_history }} then messages else 0 end) as bigint) as history_messages,
    cast(sum(case when {{ in_outcome }} then outcome_amount else 0 end) as bigint) as outcome_amount,
    cast(sum(case when {{ in_before }} then outcome_amount else 0 end) as bigint) as before_amount,
    cast(sum(case when {{ in_earlier }} then outcome_amount else 0 end) as bigint) as earlier_amount
from dated
group by question, reading, person_key
