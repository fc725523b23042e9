{%- set chance, failed = number_var('causal_p_value'), number_var('causal_check_p_value') %}
-- What is left of a claim, question by question: the plain difference beside the one of people who are alike, and
-- whether the checks hold.
with

estimates as (

    select
        question,
        max(case when reading = 'effect' and method = 'naive' then p_value end) as naive_p_value,
        max(case when reading = 'effect' and method = 'aipw' then p_value end) as adjusted_p_value,
        max(case when reading = 'effect' and method = 'aipw' then overlap_rate end) as overlap_rate,
        min(case when reading <> 'effect' and method = 'aipw' then p_value end) as check_p_value
    from {{ ref('py_causal_estimates') }}
    group by question

),

balances as (

    select
        question,
        max(abs(standardised_difference_before)) as largest_imbalance_before,
        max(abs(standardised_difference_after)) as largest_imbalance_after
    from {{ ref('py_causal_balances') }}
    group by question

)

select
    estimates.question,
    balances.largest_imbalance_before,
    balances.largest_imbalance_after,
    coalesce(estimates.overlap_rate < {{ number_var('causal_overlap_limit') }}, false) as is_overlap_little,
    case
        when estimates.adjusted_p_value is null then 'not_answered'
        when estimates.check_p_value < {{ failed }} then 'check_failed'
        when questions.treatment_kind = 'lot' and estimates.adjusted_p_value < {{ chance }} then 'assigned_by_lot'
        when estimates.adjusted_p_value < {{ chance }} then 'difference_remains'
        when estimates.naive_p_value < {{ chance }} then 'explained'
        else 'no_difference'
    end as verdict
from estimates
inner join {{ ref('causal_questions') }} as questions on estimates.question = questions.question
left join balances on estimates.question = balances.question
