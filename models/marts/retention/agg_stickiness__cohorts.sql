{%- set window = number_var('stickiness_window_days') -%}
with

mature as (

    select
        *,
        cohort_size * {{ window }} as eligible_days_count
    from {{ ref('int_stick_users_counted') }}
    -- Who joined yesterday had no time to come back: no row rather than a low one.
    where {{ add_days('cohort_date', window) }} <= {{ as_of_date() }}

)

select
    subject_kind,
    subject_id,
    cohort_date,

    cohort_size,
    returner_count,
    {{ safe_divide('returner_count', 'cohort_size') }} as returner_rate,
    return_days_count,
    eligible_days_count,
    {{ safe_divide('return_days_count', 'cohort_size') }} as mean_return_days,
    {{ safe_divide('return_days_count', 'eligible_days_count') }} as stickiness_rate,

    {{ is_final(add_days('cohort_date', window)) }} as is_final
from mature
