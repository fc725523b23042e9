-- Pairs of person and bot, and people of the product, are members of one cohort each, whether they returned or
-- not. What the product's members came back on are their active days to the end of the window but the first.
{%- set window = number_var('stickiness_window_days') %}
with

members as (

    select
        subject_kind,
        cohort_date,
        sum(cohort_size) as cohort_size,
        sum(return_days_count) as return_days_count
    from {{ ref('agg_stickiness__cohorts') }}
    where subject_kind in ('bot', 'product')
    group by subject_kind, cohort_date

),

expected as (

    select
        'bot' as subject_kind,
        first_chat_date as cohort_date,
        count(case when age_days = 0 then 1 end) as cohort_size,
        count(case when age_days between 1 and {{ window }} then 1 end) as return_days_count
    from {{ ref('int_bot_chat_days_aged') }}
    where {{ add_days('first_chat_date', window) }} <= {{ as_of_date() }}
    group by first_chat_date
    union all
    select
        'product' as subject_kind,
        cohort_date,
        cohort_size,
        active_days_count - cohort_size as return_days_count
    from {{ ref('agg_cohort_time__ages') }}
    where age_days = {{ window }}

)

select
    coalesce(members.subject_kind, expected.subject_kind) as subject_kind,
    coalesce(members.cohort_date, expected.cohort_date) as cohort_date,
    members.cohort_size,
    expected.cohort_size as expected_size,
    members.return_days_count,
    expected.return_days_count as expected_return_days_count
from members
full outer join expected
    on members.subject_kind = expected.subject_kind and members.cohort_date = expected.cohort_date
where coalesce(members.cohort_size, 0) <> coalesce(expected.cohort_size, 0)
    or coalesce(members.return_days_count, -1) <> coalesce(expected.return_days_count, -1)
