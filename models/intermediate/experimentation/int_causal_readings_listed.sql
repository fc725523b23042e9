-- Each question is read up to three times: for its effect, on an outcome that the treatment cannot touch, and
-- on days before the treatment, where it cannot have acted yet. The checks go through the same machinery.
with

readings as (

    select
        question,
        'effect' as reading,
        outcome,
        outcome_kind,
        outcome_start_day,
        outcome_days,
        0 as shift_days
    from {{ ref('causal_questions') }}
    union all
    select
        question,
        'negative_control' as reading,
        negative_outcome,
        negative_kind,
        negative_start_day,
        negative_days,
        0 as shift_days
    from {{ ref('causal_questions') }}
    where negative_outcome <> 'none'
    union all
    select
        question,
        'placebo_date' as reading,
        outcome,
        outcome_kind,
        outcome_start_day - placebo_days,
        outcome_days,
        placebo_days as shift_days
    from {{ ref('causal_questions') }}
    where placebo_days > 0

)

select
    readings.question,
    readings.reading,
    questions.methods,
    readings.outcome,
    readings.outcome_kind,
    readings.outcome_start_day,
    readings.outcome_days,
    readings.shift_days,
    questions.history_days,
    -- Windows as long as that of the outcome lie wholly in the time that everyone asked about was here.
    questions.index_event = 'first_active'
    and questions.index_delay_days - readings.shift_days >= readings.outcome_days as has_before,
    questions.index_event = 'first_active'
    and questions.index_delay_days - readings.shift_days >= 2 * readings.outcome_days as has_earlier
from readings
inner join {{ ref('causal_questions') }} as questions on readings.question = questions.question
