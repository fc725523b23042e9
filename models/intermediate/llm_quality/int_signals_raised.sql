{{ config(materialized='table') }}

-- Signals that need no judge, and the judge itself, on answers that people graded: raised or not, long.
with

answers as (

    select
        graded.answer_key,
        graded.model_version,
        graded.is_hallucination,
        graded.is_judge_flag,
        described.user_score,
        followed.is_chat,
        followed.is_regenerated,
        followed.is_edited,
        followed.is_abandoned,
        scores.has_number_mismatch,
        scores.has_missing_citation,
        scores.has_unsupported_sentence
    from {{ ref('int_answers_graded') }} as graded
    inner join {{ ref('int_answers_described') }} as described on graded.answer_key = described.answer_key
    inner join {{ ref('int_answers_followed') }} as followed on graded.answer_key = followed.answer_key
    left join {{ ref('int_answers_scored') }} as scores on graded.answer_key = scores.answer_key
    where graded.is_graded

)

{%- set signals = {
    'number_mismatch': 'has_number_mismatch',
    'missing_citation': 'has_missing_citation',
    'unsupported_sentence': 'has_unsupported_sentence',
    'any_text_signal': 'has_number_mismatch or has_missing_citation',
    'judge_flag': 'is_judge_flag',
    'thumbs_down': 'user_score <= ' ~ number_var('low_score_at_most'),
    'regenerate_or_edit': 'case when is_chat then is_regenerated or is_edited end',
    'abandonment': 'is_abandoned',
} %}
{%- for signal, condition in signals.items() %}
select
    answer_key,
    model_version,
    is_hallucination,
    '{{ signal }}' as signal_name,
    {{ condition }} as is_raised
from answers
where ({{ condition }}) is not null
{{ 'union all' if not loop.last }}
{%- endfor %}
