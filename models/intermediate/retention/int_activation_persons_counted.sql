{{ config(materialized='table') }}
{%- set horizon = number_var('churn_days') | int %}
{%- set counted = activation_events() %}

-- How often newcomers did what within the first 1, 3 and 7 days, and whether the fourth week saw them. Only people
-- whose fourth week is over. The half is drawn from the id, so that a person stays in it in every build.
with

aged as (

    select
        days.*,
        case when days.is_active then 1 else 0 end as active_day_count,
        {{ day_diff('persons.first_active_date', 'days.event_date') }} as age_days,
        case when substring(md5('activation ' || described.person_id), 1, 1) < '8' then 'choose' else 'measure' end
            as half
    from {{ ref('int_user_days_classified') }} as days
    inner join {{ ref('int_persons_cohorted') }} as persons
        on days.person_key = persons.person_key and days.event_date >= persons.first_active_date
    inner join {{ ref('int_persons_described') }} as described on days.person_key = described.person_key
    where
        days.is_human
        and {{ add_days('persons.first_active_date', horizon) }} <= {{ as_of_date() }}

)

select
    person_key,
    half,
    {%- for window in [1, 3, 7] %}
    {%- for name in counted %}
    cast(sum(case when age_days < {{ window }} then {{ name }}_count else 0 end) as bigint)
        as {{ name }}_count_{{ window }},
    {%- endfor %}
    {%- endfor %}
    max(case
        when is_active and age_days between {{ horizon - 6 }} and {{ horizon }} then 1 else 0
    end) = 1 as is_retained
from aged
group by person_key, half
