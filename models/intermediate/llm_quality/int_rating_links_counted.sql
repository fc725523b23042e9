{{ config(materialized='table') }}

-- People who rated an answer before they ever paid, by their first day of rating: satisfied or not, and whether
-- they began to pay within the window after it. Being active on the day before cannot come from the rating.
{%- set days = number_var('rating_link_days') %}
{%- set codes -%}
{{ 101 + var('funnel_other_actions').index('subscription_started') }},
{{ 101 + var('funnel_other_actions').index('trial_started') }}
{%- endset %}
with

ratings as (

    select
        person_key,
        answered_date as rated_date,
        count(*) as rated_count,
        cast(sum(user_score) as bigint) as score_sum
    from {{ ref('int_answers_described') }}
    where user_score is not null
    group by person_key, answered_date

),

firsts as (

    select
        *,
        row_number() over (partition by person_key order by rated_date asc nulls last) as day_rank
    from ratings

),

conversions as (

    select
        person_key,
        min(action_date) as converted_date
    from {{ ref('int_actions_recorded') }}
    where action_code in ({{ codes }})
    group by person_key

),

people as (

    select
        persons.role || ', ' || persons.country || ', ' || case
            when {{ day_diff('persons.first_active_date', 'firsts.rated_date') }} < 7 then 'first week'
            when {{ day_diff('persons.first_active_date', 'firsts.rated_date') }} < 28 then 'first month'
            else 'later'
        end as stratum,
        case
            when firsts.score_sum >= {{ number_var('high_score_at_least') }} * firsts.rated_count then 1 else 0
        end as is_high,
        case
            when conversions.converted_date <= {{ add_days('firsts.rated_date', days) }} then 1 else 0
        end as is_converted,
        case when spine.person_key is not null then 1 else 0 end as is_active_before
    from firsts
    inner join {{ ref('int_persons_cohorted') }} as persons on firsts.person_key = persons.person_key
    left join conversions on firsts.person_key = conversions.person_key
    left join {{ ref('int_active_days_spined') }} as spine
        on firsts.person_key = spine.person_key
        and spine.activity_date = {{ add_days('firsts.rated_date', -1) }}
    where firsts.day_rank = 1
        and {{ add_days('firsts.rated_date', days) }} <= {{ as_of_date() }}
        and (conversions.converted_date is null or conversions.converted_date > firsts.rated_date)

)

{%- for outcome, column in {
    'subscription_started': 'is_converted', 'active_on_the_day_before': 'is_active_before',
}.items() %}
select
    '{{ outcome }}' as outcome,
    stratum,
    is_high,
    count(*) as person_count,
    cast(sum({{ column }}) as bigint) as success_count
from people
group by stratum, is_high
{{ 'union all' if not loop.last }}
{%- endfor %}
