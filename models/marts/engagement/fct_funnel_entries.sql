with

steps as (

    select * from {{ ref('int_funnel_steps_reached') }}

),

entries as (

    select
        person_key,
        funnel,
        entry_date,
        window_days,
        max(step_number) as last_step_number,
        max(case when reached_at is not null then step_number end) as reached_step_number,
        min(reached_at) as entered_at,
        max(reached_at) as reached_at,
        max(case when is_excluded then 1 else 0 end) = 1 as is_excluded
    from steps
    group by person_key, funnel, entry_date, window_days

)

select
    persons.person_id,
    entries.funnel,
    entries.entry_date,
    entries.entered_at,

    entries.reached_step_number,
    named.step_name as reached_step_name,
    entries.reached_at,
    cast(floor(
        ({{ epoch_us('entries.reached_at') }} - {{ epoch_us('entries.entered_at') }}) / 1000
    ) as bigint) as elapsed_ms,

    entries.is_excluded,
    entries.reached_step_number = entries.last_step_number as is_completed,
    {{ is_final(add_days('entries.entry_date', 'entries.window_days')) }} as is_final
from entries
inner join {{ ref('int_persons_described') }} as persons on entries.person_key = persons.person_key
inner join {{ ref('int_funnel_steps_coded') }} as named
    on entries.funnel = named.funnel
    and entries.reached_step_number = named.step_number
    and not named.is_exclusion
