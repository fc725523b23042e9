{{ config(materialized='table') }}
{%- set in_window = 'age_days between 1 and ' ~ number_var('stickiness_window_days') -%}
-- Person by person first: who never came back is a member with 0 days.
with

product_days as (

    select
        days.person_key,
        persons.first_active_date as cohort_date,
        {{ day_diff('persons.first_active_date', 'days.activity_date') }} as age_days
    from {{ ref('int_active_days_spined') }} as days
    inner join {{ ref('int_persons_cohorted') }} as persons on days.person_key = persons.person_key

),

grouped_days as (

    select
        subject_kind,
        subject_id,
        person_key,
        chat_date,
        min(chat_date) over (partition by subject_kind, subject_id, person_key) as cohort_date
    from {{ ref('int_workflow_chat_days_distinct') }}

),

members as (

    select
        'product' as subject_kind,
        'all' as subject_id,
        cast(null as bigint) as bot_key,
        cohort_date,
        count(case when {{ in_window }} then 1 end) as return_days_count
    from product_days
    group by person_key, cohort_date
    union all
    select
        'bot' as subject_kind,
        cast(null as string) as subject_id,
        bot_key,
        first_chat_date as cohort_date,
        count(case when {{ in_window }} then 1 end) as return_days_count
    from {{ ref('int_bot_chat_days_aged') }}
    group by person_key, bot_key, first_chat_date
    union all
    select
        subject_kind,
        subject_id,
        cast(null as bigint) as bot_key,
        cohort_date,
        count(case
            when {{ day_diff('cohort_date', 'chat_date') }}
                between 1 and {{ number_var('stickiness_window_days') }} then 1
        end) as return_days_count
    from grouped_days
    group by subject_kind, subject_id, person_key, cohort_date

)

select
    members.subject_kind,
    coalesce(bots.bot_id, members.subject_id) as subject_id,
    members.cohort_date,
    count(*) as cohort_size,
    count(case when members.return_days_count > 0 then 1 end) as returner_count,
    cast(sum(members.return_days_count) as bigint) as return_days_count
from members
left join {{ ref('int_bots_versioned') }} as bots on members.bot_key = bots.bot_key and bots.is_current
group by members.subject_kind, coalesce(bots.bot_id, members.subject_id), members.cohort_date
