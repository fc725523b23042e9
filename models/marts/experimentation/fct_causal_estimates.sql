{%- set failed = number_var('causal_check_p_value') %}
with

estimates as (

    select
        *,
        coalesce(pre_trend_p_value < {{ failed }}, false) as has_parted_before
    from {{ ref('py_causal_estimates') }}

),

described as (

    select
        estimates.*,
        questions.claim,
        questions.owner,
        questions.treatment_kind,
        questions.treatment_name,
        questions.treatment_level,
        questions.untreated_level,
        questions.covariates,
        readings.outcome,
        case
            when readings.outcome_kind = 'any' then 'share of people'
            when readings.outcome like '%_ms' then 'seconds per person'
            else 'count per person'
        end as outcome_unit,
        readings.outcome_start_day,
        readings.outcome_days,
        verdicts.verdict,
        verdicts.is_overlap_little,
        verdicts.largest_imbalance_before,
        verdicts.largest_imbalance_after
    from estimates
    inner join {{ ref('causal_questions') }} as questions on estimates.question = questions.question
    inner join {{ ref('int_causal_readings_listed') }} as readings
        on estimates.question = readings.question and estimates.reading = readings.reading
    inner join {{ ref('int_causal_verdicts_reached') }} as verdicts on estimates.question = verdicts.question

)

select
    described.question,
    described.reading,
    described.method,
    described.claim,
    described.owner,
    described.treatment_name,
    described.treatment_level,
    described.untreated_level,
    described.covariates,
    described.outcome,
    described.outcome_unit,
    described.outcome_start_day,
    described.outcome_days,
    {{ as_of_date() }} as as_of_date,

    described.person_count,
    described.untreated_count,
    described.treated_count,
    described.used_person_count,
    described.overlap_rate,
    described.clipped_rate,
    described.untreated_value,
    described.treated_value,
    described.estimate,
    described.standard_error,
    described.estimate_low,
    described.estimate_high,
    described.p_value,
    described.e_value,
    described.e_value_low,
    described.pre_trend_p_value,
    described.has_parted_before,
    described.largest_imbalance_before,
    described.largest_imbalance_after,
    described.treatment_kind <> 'lot' as is_associational,
    described.verdict,
    reading_texts.text || ' ' || method_texts.text
    || case
        when described.reason is not null then coalesce(' ' || empty_texts.text, '')
        when described.has_parted_before then coalesce(' ' || parted_texts.text, '')
        when described.reading <> 'effect' then ''
        else ' ' || verdict_texts.text
            || case when described.is_overlap_little then coalesce(' ' || overlap_texts.text, '') else '' end
    end as explanation,
    described.reason
from described
inner join {{ ref('causal_explanations') }} as method_texts
    on described.method = method_texts.code and method_texts.kind = 'method'
inner join {{ ref('causal_explanations') }} as reading_texts
    on described.reading = reading_texts.code and reading_texts.kind = 'reading'
inner join {{ ref('causal_explanations') }} as verdict_texts
    on described.verdict = verdict_texts.code and verdict_texts.kind = 'verdict'
left join {{ ref('causal_explanations') }} as overlap_texts
    on case when described.is_overlap_little then 'little_overlap' end = overlap_texts.code
    and overlap_texts.kind = 'condition'
left join {{ ref('causal_explanations') }} as parted_texts
    on case when described.has_parted_before then 'parted_before' end = parted_texts.code
    and parted_texts.kind = 'condition'
left join {{ ref('causal_explanations') }} as empty_texts
    on case when described.reason is not null then 'no_value' end = empty_texts.code
    and empty_texts.kind = 'condition'
