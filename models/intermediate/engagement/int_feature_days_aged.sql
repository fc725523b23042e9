-- One row per person, feature and day of use. First is the first use ever, whatever the day was otherwise.
with

user_days as (

    select
        *,
        {% for feature in event_features() -%}
        {{ feature }}_use_count{{ ' + ' if not loop.last }}
        {%- endfor %} as known_use_count
    from {{ ref('int_user_days_classified') }}
    where feature_used_count > 0 and is_human

),

used as (

    {% for feature in event_features() -%}
    select person_key, event_date, is_active, '{{ feature }}' as feature, {{ feature }}_use_count as use_count
    from user_days
    where {{ feature }}_use_count > 0
    union all
    {% endfor -%}
    -- A feature the contract does not list is use as well.
    select
        person_key,
        event_date,
        is_active,
        'unknown' as feature,
        feature_used_count - known_use_count as use_count
    from user_days
    where feature_used_count > known_use_count

)

select
    person_key,
    feature,
    event_date as use_date,
    is_active,
    use_count,
    min(event_date) over (partition by person_key, feature) as first_use_date,
    lead(event_date) over (partition by person_key, feature order by event_date asc nulls last) as next_use_date
from used
