-- Stages are rows people edit: a hole between two of them would lose people.
with

active as (

    select
        person_key,
        max(activity_date) as last_date
    from {{ ref('int_active_days_spined') }}
    group by person_key

),

named as (

    select
        persons.person_id,
        active.last_date
    from active
    inner join {{ ref('int_persons_described') }} as persons on active.person_key = persons.person_key

),

segments as (

    select
        person_id,
        max(last_active_date) as last_active_date,
        count(lifecycle_stage) as stage_count
    from {{ ref('dim_user_segments') }}
    group by person_id

)

select
    coalesce(named.person_id, segments.person_id) as person_id,
    named.last_date,
    segments.last_active_date,
    segments.stage_count
from named
full outer join segments on named.person_id = segments.person_id
where named.person_id is null
    or segments.person_id is null
    or segments.stage_count <> 1
    or segments.last_active_date <> named.last_date
