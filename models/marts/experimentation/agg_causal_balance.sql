with

balances as (

    select * from {{ ref('py_causal_balances') }}

),

questions as (

    select * from {{ ref('causal_questions') }}

)

select
    balances.question,
    balances.covariate,
    balances.covariate_level,
    questions.treatment_level,
    questions.untreated_level,
    {{ as_of_date() }} as as_of_date,

    balances.is_held_equal,
    balances.untreated_count,
    balances.untreated_level_count,
    balances.treated_count,
    balances.treated_level_count,
    balances.standardised_difference_before,
    balances.standardised_difference_after,
    abs(balances.standardised_difference_after) <= {{ number_var('causal_balance_limit') }} as is_alike,
    balances.reason
from balances
inner join questions on balances.question = questions.question
