select
    persons.person_id,
    steps.funnel,
    steps.entry_date,
    steps.entered_at,

    steps.step_number as reached_step_number,
    steps.step_name as reached_step_name,
    steps.reached_at,
    cast(floor(
        ({{ epoch_us('steps.reached_at') }} - {{ epoch_us('steps.entered_at') }}) / 1000
    ) as bigint) as elapsed_ms,

    steps.is_excluded,
    steps.step_number = steps.last_step_number as is_completed,
    {{ is_final(add_days('steps.entry_date', 'steps.window_days')) }} as is_final
from {{ ref('int_funnel_steps_reached') }} as steps
inner join {{ ref('int_persons_described') }} as persons on steps.person_key = persons.person_key
where steps.is_furthest
