{%- set last = number_var('funnel_max_steps') | int %}
-- Every entry with every step of its funnel, reached or not.
select
    entries.person_key,
    entries.funnel,
    entries.entry_date,
    steps.window_days,
    steps.step_number,
    steps.step_name,
    case steps.step_number
        {%- for step in range(1, last + 1) %}
        when {{ step }} then entries.step_{{ step }}_at
        {%- endfor %}
    end as reached_at,
    case steps.step_number
        {%- for step in range(2, last + 1) %}
        when {{ step }} then entries.step_{{ step - 1 }}_at
        {%- endfor %}
    end as previous_at,
    coalesce(entries.excluded_after_step = steps.step_number, false) as is_excluded
from {{ ref('int_funnel_entries_walked') }} as entries
inner join {{ ref('int_funnel_steps_coded') }} as steps on entries.funnel = steps.funnel
where not steps.is_exclusion
