{{ config(materialized='table') }}

-- The facts of days say when a person first did the first step, so that events are read for the window after
-- it only. A person enters a funnel once; the cohort counts when its window is over.
with

entrances as (

    select * from {{ ref('int_funnel_steps_coded') }}
    where step_number = 1 and not is_exclusion

),

days as (

    select * from {{ ref('int_user_days_classified') }}
    where is_human

),

-- How often the first step was done, by the narrowest count that the facts hold of it.
counted as (

    select
        days.person_key,
        entrances.funnel,
        entrances.window_days,
        days.event_date as action_date,
        case
            {%- for method in event_methods() %}
            when entrances.method_code = {{ loop.index }} then days.{{ method }}_message_count
            {%- endfor %}
            {%- for feature in event_features() %}
            when entrances.feature_code = {{ loop.index }} then days.{{ feature }}_use_count
            {%- endfor %}
            {%- for name in event_names() %}
            when entrances.action_code = {{ loop.index }} then days.{{ name }}_count
            {%- endfor %}
        end as action_count
    from days
    cross join entrances

),

done as (

    select
        person_key,
        funnel,
        window_days,
        action_date
    from counted
    where action_count > 0
    union all
    select
        actions.person_key,
        entrances.funnel,
        entrances.window_days,
        actions.action_date
    from {{ ref('int_actions_recorded') }} as actions
    inner join entrances on actions.action_code = entrances.action_code

),

entered as (

    select
        person_key,
        funnel,
        window_days,
        min(action_date) as entry_date
    from done
    group by person_key, funnel, window_days

)

select
    person_key,
    funnel,
    window_days,
    entry_date,
    {{ add_days('entry_date', 'window_days') }} as last_date
from entered
where {{ add_days('entry_date', 'window_days') }} <= {{ as_of_date() }}
