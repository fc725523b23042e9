{%- set last = number_var('funnel_max_steps') | int %}
-- Every entry with every step of its funnel, reached or not.
with

steps as (

    select
        entries.person_key,
        entries.funnel,
        entries.entry_date,
        coded.window_days,
        coded.step_number,
        coded.step_name,
        coded.last_step_number,
        entries.step_1_at as entered_at,
        case coded.step_number
            {%- for step in range(1, last + 1) %}
            when {{ step }} then entries.step_{{ step }}_at
            {%- endfor %}
        end as reached_at,
        case coded.step_number
            {%- for step in range(2, last + 1) %}
            when {{ step }} then entries.step_{{ step - 1 }}_at
            {%- endfor %}
        end as previous_at,
        case coded.step_number
            {%- for step in range(1, last) %}
            when {{ step }} then entries.step_{{ step + 1 }}_at
            {%- endfor %}
        end as next_at,
        coalesce(entries.excluded_after_step = coded.step_number, false) as is_excluded
    from {{ ref('int_funnel_entries_walked') }} as entries
    inner join {{ ref('int_funnel_steps_coded') }} as coded on entries.funnel = coded.funnel
    where not coded.is_exclusion

)

select
    person_key,
    funnel,
    entry_date,
    window_days,
    step_number,
    step_name,
    last_step_number,
    entered_at,
    reached_at,
    previous_at,
    reached_at is not null and next_at is null as is_furthest,
    is_excluded
from steps
