{{ config(materialized='table') }}
{%- set from_days = [
    'active_days', 'messages', 'features_used', 'follows', 'chat_starters', 'ad_impressions', 'sessions', 'session_ms'
] %}
{%- set from_moments = ['conversions', 'coin_orders', 'shop_orders'] %}
{%- set from_ratings = {
    'ratings': 'cast(1 as bigint)',
    'high_ratings': 'cast(case when score >= 4 then 1 else 0 end as bigint)'
} %}
-- One row per person and day with anything that a question may name.
with

parts as (

    select
        unit_key as person_key,
        {%- for measure in causal_measures() %}
        {{ measure if measure in from_days else 'cast(0 as bigint)' }} as {{ measure }},
        {%- endfor %}
        activity_date
    from {{ ref('int_unit_days_measured') }}
    where unit_type = 'user'
    union all
    select
        unit_key as person_key,
        {%- for measure in causal_measures() %}
        {{ measure if measure in from_moments else 'cast(0 as bigint)' }} as {{ measure }},
        {%- endfor %}
        activity_date
    from {{ ref('int_unit_moments_measured') }}
    where unit_type = 'user'
    union all
    select
        person_key,
        {%- for measure in causal_measures() %}
        {{ measure[:-5] ~ '_use_count' if measure[:-5] in event_features() else 'cast(0 as bigint)' }} as {{ measure }},
        {%- endfor %}
        event_date as activity_date
    from {{ ref('int_user_days_classified') }}
    where is_human
    union all
    select
        person_key,
        {%- for measure in causal_measures() %}
        {{ from_ratings.get(measure, 'cast(0 as bigint)') }} as {{ measure }},
        {%- endfor %}
        action_date as activity_date
    from {{ ref('int_actions_recorded') }}
    where action_code = {{ 101 + var('funnel_other_actions').index('answer_rated') }}

)

select
    person_key,
    {%- for measure in causal_measures() %}
    cast(sum({{ measure }}) as bigint) as {{ measure }},
    {%- endfor %}
    activity_date
from parts
where activity_date <= {{ as_of_date() }}
group by person_key, activity_date
having sum({{ causal_measures() | join(' + ') }}) > 0
