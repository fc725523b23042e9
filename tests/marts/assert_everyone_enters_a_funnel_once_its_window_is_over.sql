-- Counted from the facts of days alone: who ever did the first step, early enough for the window to be over,
-- stands in the funnel, and nobody else. For funnels that any event of a name enters.
with

entrances as (

    select * from {{ ref('funnel_steps') }}
    where step_number = 1 and not is_exclusion and feature = 'any' and method = 'any'
        and action in ({{ quoted_list(event_names()) }})

),

first_days as (

    {% for name in event_names() -%}
    select
        '{{ name }}' as action_name,
        person_key,
        min(event_date) as first_date
    from {{ ref('int_user_days_classified') }}
    where is_human and {{ name }}_count > 0
    group by person_key
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

expected as (

    select
        entrances.funnel,
        count(*) as person_count
    from entrances
    inner join first_days on entrances.action = first_days.action_name
    where {{ add_days('first_days.first_date', 'entrances.window_days') }} <= {{ as_of_date() }}
    group by entrances.funnel

),

found as (

    select
        entries.funnel,
        count(distinct entries.person_id) as person_count
    from {{ ref('fct_funnel_entries') }} as entries
    inner join entrances on entries.funnel = entrances.funnel
    group by entries.funnel

)

select
    coalesce(expected.funnel, found.funnel) as funnel,
    expected.person_count as expected_count,
    found.person_count as found_count
from expected
full outer join found on expected.funnel = found.funnel
where coalesce(expected.person_count, 0) <> coalesce(found.person_count, 0)
